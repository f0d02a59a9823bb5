require ["fileinto", "copy", "imap4flags"];
# Sorts the news of a shop.
if header :contains "subject" "[news]" {
	fileinto :flags "First" "News";
	redirect :copy "copy@elsewhere.example";
	fileinto :flags ["Second"] "News";
	fileinto "Made/here";
	stop;
}
discard;
