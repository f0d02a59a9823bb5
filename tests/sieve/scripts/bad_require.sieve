# line 3: "fileinto" is used, but the script does not begin with require "fileinto".
if true {
	fileinto "News";
}
