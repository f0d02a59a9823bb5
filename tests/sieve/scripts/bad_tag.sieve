# line 2: The tag ":elsewhere" is not known.
keep :elsewhere;
