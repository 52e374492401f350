"""What the engine's tests share: the worked example as a project, small workspaces, made-up evidence."""
