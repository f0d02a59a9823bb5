require "ihave";
if ihave "vnd.nobody.weather" {
	rain;
} else {
	error "There is no weather here.";
}
