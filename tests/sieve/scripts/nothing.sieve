require ["fileinto", "copy"];
if header "subject" "other" { fileinto "Other"; }
elsif size :over 1M { discard; }
