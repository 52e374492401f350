"""What is known of the data for certain: by hand, from the raw files and from what can be.

One row that is known by hand says more than many rules. Such a test looks like this:

    def test_a_known_row_is_transformed_as_by_hand(tmp_path):
        settings, result = whole_run(project, tmp_path)  # of handrail.testing; project is that of this folder
        found = duckdb.sql(f"SELECT * FROM '{result.path}' WHERE {project.key} = 'one that I know'")
        ...
"""
