"""The ML Test Score: 28 tests of the whole, each computed on the project's own data, code and live model."""
