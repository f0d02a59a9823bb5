# line 3: A string is not closed: '"' is missing.
keep;
redirect "ann@example.org;
