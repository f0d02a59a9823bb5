require ["fileinto", "variables"];
fileinto "News";
set "to" "nobody";
redirect "${to}";
