// What is said of attempts that fail alike, or not.
#include "report/attempts.h"

#include <gtest/gtest.h>

namespace cnplay::report {
namespace {

using namespace events;

class Failing : public ::testing::Test {
 protected:
  Failing() {
    plan_.hosts.resize(2);
    plan_.nodes.resize(2);
    plan_.nodes[0].retry.times = 3;
    plan_.nodes[1].id = 1;
  }
  std::string fails(const std::string& details, HostIndex host = 0, NodeId node = 0) {
    ActionEnded e;
    e.node = node;
    e.host = host;
    e.outcome = Outcome::failed;
    return attempts_.fresh(e, details);
  }
  void again(std::uint32_t attempt, HostIndex host = 0) {
    attempts_.on({1, {}, RetryScheduled{0, host, attempt, 4, Duration{1000}}});
  }
  plan::Plan plan_;
  Attempts attempts_{plan_};
};

TEST_F(Failing, TheSameIsSaidOnceAndAtTheEnd) {
  EXPECT_EQ(fails("502"), "502");
  again(2);
  EXPECT_EQ(fails("502"), "");
  again(3);
  EXPECT_EQ(fails("503"), "503") << "it is another failure";
  again(4);
  EXPECT_EQ(fails("503"), "503") << "it is the last attempt";
}

TEST_F(Failing, HostsAndTimesAreKeptApart) {
  EXPECT_EQ(fails("502", 0), "502");
  EXPECT_EQ(fails("502", 1), "502");
  again(2);
  EXPECT_EQ(fails("502", 0), "");
  attempts_.on({2, {}, StepEnded{0, 0, Part::forward, Outcome::failed, "", Duration{1}}});
  EXPECT_EQ(fails("502", 0), "502") << "the step was begun anew";
  EXPECT_EQ(fails("502", 0, 1), "502");
  EXPECT_EQ(fails("502", 0, 1), "502") << "nothing is tried again there";
}

}  // namespace
}  // namespace cnplay::report
