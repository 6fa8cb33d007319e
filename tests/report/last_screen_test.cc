// What a person sees when a run has failed, on a terminal of 80x24: what failed, where and why, the
// message of the `hold`, what is undone and what is not, and the command to type next.
#include <gtest/gtest.h>

#include "report/live.h"
#include "report/plain.h"
#include "support/events/story.h"
#include "support/golden.h"
#include "support/plan/update_code.h"
#include "support/screen.h"

namespace cnplay::testing {
namespace {

using namespace cnplay::events;

report::Options utc() {
  report::Options options;
  options.zone = "UTC";
  return options;
}

std::string joined(const std::vector<std::string>& rows) {
  std::string out;
  for (const auto& row : rows) out += row + "\n";
  return out;
}

constexpr const char* kRun = "20261120-213000-update_code-4f2a";

// A failure after the pivot on many hosts: forty lines of output, ten steps with times, an advice
// that alone is longer than the screen.
void tell_failure(Story& story, const UpdateCode& u) {
  story.tell(run_started(u.plan));
  story.tell(PreflightEnded{true, Duration{2100}});
  story.tell(PhaseStarted{u.cutover});
  for (HostIndex h = 0; h < 12; ++h) {
    const auto task = story.begin(u.stop, h);
    story.pass(1);
    story.end(task, u.stop, h, Outcome::changed, "3 programs stopped", 12);
  }
  story.tell(Pivoted{u.pivot, "the schema may change"});
  std::string output;
  for (int i = 1; i <= 40; ++i) output += "  File \"migrations/00" + std::to_string(i) + ".py\"\n";
  const auto task = story.begin(u.migrate, 0);
  story.pass(95);
  story.end(
      task, u.migrate, 0, Outcome::failed,
      "the migration reefs.0042_split_names stopped: column \"name\" of relation \"reefs_reef\" "
      "contains null values\nsecond line",
      95, output);
  story.tell(FailureDeclared{u.migrate, {0}, true});
  story.tell(Held{"The maintenance page stays up. Fix forward, or restore the snapshot."});
  story.tell(PhaseEnded{u.cutover, Duration{120'000}, false});
  RunEnded end;
  end.verdict = Verdict::failed;
  end.took = Duration{1'925'000};
  for (HostIndex h = 0; h < 12; ++h) {
    HostSummary host;
    host.host = h;
    host.changed = 4;
    host.failed = h == 0 ? 1 : 0;
    end.hosts.push_back(host);
  }
  for (const plan::NodeId node : {u.stop, u.page, u.code, u.packages, u.statics, u.migrate}) {
    end.steps.push_back({node, Duration{20'000}, Duration{12'000}, Outcome::changed});
  }
  end.outage = Duration{120'000};
  end.outage_open = true;
  for (int i = 1; i <= 9; ++i) {
    end.advice += "Undone: `step" + std::to_string(i) + "` (playbooks/update_code.play:4" +
                  std::to_string(i) + ") on web1, web2 and 10 more.\n";
  }
  for (int i = 1; i <= 9; ++i) {
    end.advice += "Changed, and not undone: `part" + std::to_string(i) +
                  "` (playbooks/update_code.play:5" + std::to_string(i) +
                  ") on web1, web2 and 10 more: it has no `undo`.\n";
  }
  end.advice += "The outage continues.\nFix the cause on web1, then continue: cnplay resume " +
                std::string(kRun) + "\nTo undo what has an `undo`: cnplay undo " + kRun;
  story.tell(std::move(end));
}

TEST(LastScreen, OfAFailureHoldsAllThatAPersonNeedsAt80x24) {
  const UpdateCode u = update_code(12);
  Screen screen(80, 24);
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  tell_failure(story, u);
  const std::string seen = joined(screen.visible());
  for (const char* part : {"failed after", "migrate on web1: the migration reefs.0042",
                           "held: The maintenance page stays up.", "Changed, and not undone:",
                           "The outage continues.", "cnplay resume", "cnplay undo"}) {
    EXPECT_NE(seen.find(part), std::string::npos) << part << "\n" << seen;
  }
  expect_golden("report/last_screen.txt", seen);
}

TEST(LastScreen, LongOutputOfWhatFailedIsCutToItsEndAndSaysWhereTheRestIs) {
  const UpdateCode u = update_code(12);
  Screen screen(80, 100);
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  tell_failure(story, u);
  const std::string seen = joined(screen.visible());
  EXPECT_EQ(seen.find("migrations/0020.py"), std::string::npos);
  EXPECT_NE(seen.find("migrations/0021.py"), std::string::npos);
  EXPECT_NE(seen.find("... 20 lines above: cnplay show " + std::string(kRun)), std::string::npos)
      << seen;
}

// A pipe has no screen: nothing is folded, and `cnplay show` prints all of it.
TEST(LastScreen, InAPipeNothingIsFolded) {
  const UpdateCode u = update_code(12);
  std::string text;
  report::PlainSink plain(u.plan, utc(), [&](const std::string& line) { text += line; });
  Story story(plain);
  tell_failure(story, u);
  for (const char* part : {"migrations/001.py", "Undone: `step9`", "not undone: `part9`",
                           "migrate on web1: the migration", "held: The maintenance page"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

// A step that failed, and succeeded when it was tried again, has not failed.
TEST(LastScreen, NamesNoAttemptThatWasMadeGoodLater) {
  const UpdateCode u = update_code(2);
  Screen screen(80, 24);
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  story.tell(run_started(u.plan));
  ActionEnded attempt;
  attempt.node = u.packages;
  attempt.host = 0;
  attempt.outcome = Outcome::failed;
  attempt.message = Untrusted("a mirror timed out");
  story.tell(StepStarted{u.packages, 0, Part::forward, 1});
  story.tell(attempt);
  story.end(1, u.packages, 0, Outcome::changed);
  const auto task = story.begin(u.statics, 1);
  story.end(task, u.statics, 1, Outcome::failed, "no room on the disk");
  RunEnded end;
  end.verdict = Verdict::failed;
  story.tell(std::move(end));
  const std::string seen = joined(screen.visible());
  const std::string last = seen.substr(seen.find("failed after"));
  EXPECT_EQ(last.find("mirror"), std::string::npos) << last;
  EXPECT_NE(last.find("static on web2: no room on the disk"), std::string::npos) << last;
}

}  // namespace
}  // namespace cnplay::testing
