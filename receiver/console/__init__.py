"""The console: one page for operators, which asks the admin API like anyone else."""
