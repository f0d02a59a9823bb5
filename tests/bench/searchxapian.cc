// searchxapian TEXTS DB: Xapian with all runs of three octets as terms, over the texts that
// "searchbench texts" wrote.  g++ -O2 searchxapian.cc -o searchxapian $(xapian-config --cxxflags --libs)
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <sys/resource.h>
#include <unordered_set>
#include <vector>
#include <xapian.h>

using Clock = std::chrono::steady_clock;

static double since(Clock::time_point began)
{
	return std::chrono::duration<double>(Clock::now() - began).count();
}

static double cpu_s()
{
	rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_utime.tv_sec + u.ru_stime.tv_sec +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	std::ifstream in(argv[1], std::ios::binary);
	auto began = Clock::now();
	size_t count = 0;
	uint32_t len;
	{
		Xapian::WritableDatabase db(argv[2], Xapian::DB_CREATE_OR_OVERWRITE |
							     Xapian::DB_NO_SYNC);
		std::string text;
		while (in.read(reinterpret_cast<char *>(&len), 4)) {
			text.resize(len);
			in.read(&text[0], len);
			std::unordered_set<std::string> grams;
			for (size_t i = 0; i + 3 <= text.size(); i++)
				grams.insert(text.substr(i, 3));
			Xapian::Document doc;
			for (auto &gram : grams)
				doc.add_boolean_term(gram);
			db.add_document(doc);
			count++;
		}
		db.commit();
	}
	std::printf("built: %zu mails in %.1f s (%.0f/s), %.0f us CPU each\n", count,
		    since(began), count / since(began), cpu_s() * 1e6 / count);
	Xapian::Database db(argv[2]);
	for (std::string needle : {"XQZZYRARE", "ZQVWKJX", "DOVECOT", "THE",
				   "XQZZYRARE FOR YOU", "CONFIGURATION FILE"}) {
		std::vector<double> times;
		size_t hits = 0;
		for (int look = 0; look < 5; look++) {
			auto at = Clock::now();
			std::vector<Xapian::Query> parts;
			for (size_t i = 0; i + 3 <= needle.size(); i++)
				parts.emplace_back(needle.substr(i, 3));
			Xapian::Enquire enquire(db);
			enquire.set_query(Xapian::Query(Xapian::Query::OP_AND, parts.begin(),
							parts.end()));
			enquire.set_weighting_scheme(Xapian::BoolWeight());
			hits = enquire.get_mset(0, db.get_doccount()).size();
			times.push_back(since(at) * 1000);
		}
		std::sort(times.begin(), times.end());
		std::printf("%-20s %7zu hits %9.2f ms\n", needle.c_str(), hits, times[2]);
	}
}
