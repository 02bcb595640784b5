"""What people read, made of values: Markdown for GitHub and Prefect, rows for the terminal. Pure, without a clock."""
