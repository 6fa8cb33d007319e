// A secret in every text that a host can say, in every way to show it, against everything that is
// written: the record, the views, the reports, JSON, what people are notified of.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/cut_mark.h"
#include "base/json_text.h"
#include "cli/redaction.h"
#include "journal/run_directory.h"
#include "report/grouped.h"
#include "report/html.h"
#include "report/junit.h"
#include "report/lines.h"
#include "report/live.h"
#include "report/notify.h"
#include "report/plain.h"
#include "support/events/story.h"
#include "support/plan/update_code.h"
#include "support/secrets/ways_to_show.h"

namespace cnplay::cli {
namespace {

namespace fs = std::filesystem;
using namespace cnplay::events;

const std::string kValue = "VaultS3cr3t-pa55word!x";

struct Written {
  std::string where;
  std::string text;
};

// What a reader makes of a text: no escapes, no control characters, no blanks, one case.
std::string as_read(const std::string& text) {
  std::string out;
  for (const char c : Untrusted(text).display()) {
    if (static_cast<unsigned char>(c) > ' ') out += static_cast<char>(std::tolower(c));
  }
  return out;
}

std::string file_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class JsonSink final : public Sink {
 public:
  explicit JsonSink(const plan::Plan& plan) : plan_(plan) {}
  void on(const Event& event) override { text += to_json(event, plan_) + "\n"; }
  std::string text;

 private:
  const plan::Plan& plan_;
};

// Keeps all that is written to it.
struct Paper final : report::Terminal {
  void write(std::string_view bytes) override { written += bytes; }
  std::size_t width() const override { return 300; }
  std::size_t height() const override { return 60; }
  std::string written;
};

void tell(testing::Story& story, const testing::UpdateCode& u, const std::string& said,
          const std::string& advice) {
  story.tell(testing::run_started(u.plan));
  story.tell(PreflightStarted{});
  story.tell(HostConnected{0, "ubuntu", "boot " + said});
  story.tell(PreflightProblem{0, "disk: " + said, "try " + said});
  story.tell(PreflightProblem{std::nullopt, "all: " + said, "help " + said});
  story.tell(HostUnreachable{2, "it said " + said, "look at " + said});
  story.tell(PreflightEnded{true, Duration{1}});
  const auto task = story.begin(u.announce, 0);
  const std::string whole = "out " + said + " end\n";
  for (std::size_t at = 0; at < whole.size(); at += 5) {
    story.output(task, 0, whole.substr(at, 5));
    story.tell(Output{task, 0, Stage::apply, Stream::err, Untrusted(whole.substr(at, 5))});
  }
  ActionEnded e;
  e.node = u.announce;
  e.host = 0;
  e.task = task;
  e.outcome = Outcome::failed;
  e.message = Untrusted("said " + said + "\nand " + said);
  e.reason = "because " + said;
  e.diff = Untrusted("-before\n+" + said + "\n");
  e.facts = {{"fact", Untrusted(said)}};
  e.tail =
      Untrusted(cut_mark(9) + "\n" + kValue.substr(7) + said + kValue.substr(0, 9) + cut_mark(5));
  story.tell(e);
  story.tell(StepEnded{u.announce, 0, {}, Outcome::failed, "step " + said, {}});
  story.tell(RetryScheduled{u.stop, 1, 1, 2, Duration{5}});
  story.tell(HostReconnecting{1, "lost " + said});
  story.tell(HostLost{1, "gone " + said});
  HumanAnswered answered;
  answered.node = u.wait;
  answered.user = "kim";
  answered.remark = Untrusted("remark " + said);
  answered.values = {{"evidence", Untrusted(said)}};
  story.tell(answered);
  story.tell(Notice{"notice " + said});
  story.tell(Held{"held " + said});
  RunEnded end;
  end.verdict = events::Verdict::failed;
  end.advice = "advice " + advice;
  story.tell(end);
  story.tell(NotificationFailed{"the webhook", "x.play:3", "answered " + said, "see " + said});
}

std::vector<Written> all_that_is_written(const std::string& said, const std::string& advice) {
  const testing::UpdateCode u = testing::update_code();
  secrets::Redactor redactor;
  EXPECT_TRUE(redactor.add("key", Secret(kValue)));
  const fs::path root =
      fs::temp_directory_path() / ("cnplay-everywhere-" + std::to_string(::getpid()));
  fs::remove_all(root);
  SystemDisk disk;
  std::vector<Written> all;
  std::string path;
  {
    auto record = journal::RunDirectory::create(
        disk, root.string(), "20261120-213000-update_code-4f2a", u.plan, "kim on desk");
    EXPECT_TRUE(record) << record.error().what;
    path = (*record)->path();
    report::Options options;
    options.diff = true;
    options.verbosity = 1;
    options.zone = "UTC";
    std::string plain;
    std::string grouped;
    Paper paper;
    JsonSink json(u.plan);
    report::OccasionSink occasion(u.plan);
    {
      report::PlainSink plain_view(u.plan, options,
                                   [&](const std::string& text) { plain += text; });
      report::GroupedSink grouped_view(u.plan, options,
                                       [&](const std::string& text) { grouped += text; });
      report::LiveSink live(u.plan, options, paper);
      Tee tee({record->get(), &plain_view, &grouped_view, &live, &json, &occasion});
      RedactingSink sink(tee, redaction(redactor));
      testing::Story story(sink);
      tell(story, u, said, advice);
    }
    EXPECT_TRUE((*record)->settled());
    all = {{"plain view", plain},
           {"grouped view", grouped},
           {"live view", paper.written},
           {"JSON", json.text},
           {"notification", report::document(occasion.occasion())},
           {"subject", report::subject(occasion.occasion())},
           {"letter", report::letter(occasion.occasion())}};
  }
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) {
      all.push_back({"file " + entry.path().filename().string(), file_text(entry.path())});
    }
  }
  const auto record = journal::read_run(disk, path);
  EXPECT_TRUE(record) << record.error().what;
  std::string shown;
  report::PlainSink show(record->plan, {}, [&](const std::string& text) { shown += text; });
  for (const Event& event : record->events) show.on(event);
  all.push_back({"show", shown});
  const auto account = report::account_of(record->plan, record->events, {});
  EXPECT_TRUE(account) << account.error().what;
  all.push_back({"HTML", report::html(*account)});
  all.push_back({"JUnit", report::junit(*account)});
  all.push_back({"JSON lines", report::json_lines(*account)});
  fs::remove_all(root);
  return all;
}

std::vector<Written> all_that_is_written(const std::string& said) {
  return all_that_is_written(said, said);
}

TEST(SecretsEverywhere, NothingThatIsWrittenShowsOneInAnyForm) {
  for (const auto& [way, said] : testing::ways_to_show(kValue)) {
    const auto all = all_that_is_written(said);
    EXPECT_GE(all.size(), 13U);
    for (const auto& [where, text] : all) {
      const std::string read = as_read(text);
      EXPECT_EQ(read.find(as_read(kValue)), std::string::npos) << way << " in " << where;
      if (!as_read(said).empty()) {
        EXPECT_EQ(read.find(as_read(said)), std::string::npos) << way << " in " << where;
      }
      EXPECT_EQ(read.find(as_read(kValue.substr(7))), std::string::npos) << way << " in " << where;
      EXPECT_EQ(text.find(said), std::string::npos) << way << " in " << where;
    }
  }
}

TEST(SecretsEverywhere, TheTextIsThereWhereThereIsNoSecret) {
  int found = 0;
  for (const auto& [where, text] : all_that_is_written("innocent text")) {
    if (text.find("innocent text") != std::string::npos) ++found;
  }
  EXPECT_GE(found, 9);
}

// All that some reader takes for the end of a line.
const std::vector<std::string> kLineEnds = {"\n",
                                            "\r",
                                            "\r\n",
                                            "\v",
                                            "\f",
                                            "\x1c",
                                            "\x1d",
                                            "\x1e",
                                            "\xC2\x85",
                                            "\xE2\x80\xA8",
                                            "\xE2\x80\xA9",
                                            "\x1b[2K\r",
                                            "\x1b"
                                            "E"};

std::vector<std::string> lines_of(std::string text) {
  for (const std::string& end : kLineEnds) {
    for (std::size_t at = 0; (at = text.find(end, at)) != std::string::npos;) {
      text.replace(at, end.size(), "\n");
      ++at;  // one of the ends is "\n" itself
    }
  }
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(LinesEverywhere, NoTextOfAHostBeginsALineOfOurs) {
  const std::string forged = "09:00:00 web1  migrate: django.migrate  changed";
  for (const std::string& end : kLineEnds) {
    int found = 0;
    for (const auto& [where, text] : all_that_is_written("x" + end + forged, "to do")) {
      const bool json = where == "JSON" || where == "JSON lines" || where == "file events.jsonl";
      for (const std::string& line : lines_of(text)) {
        if (json) {
          EXPECT_FALSE(parse_json_or_discard(line).is_discarded()) << where << ": " << line;
        }
        // The text of a host has a block of its own there.
        if (where != "HTML") {
          EXPECT_FALSE(line.starts_with(forged)) << where << " of " << end;
        }
        found += line.find(forged) != std::string::npos ? 1 : 0;
      }
    }
    EXPECT_GT(found, 10) << end;
  }
}

}  // namespace
}  // namespace cnplay::cli
