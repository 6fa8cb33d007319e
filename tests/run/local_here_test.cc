// Whether this controller may continue a run that has steps on `local`.
#include "run/local_here.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cnplay::run::test {
namespace {

using events::Event;
using ::testing::HasSubstr;

plan::Plan with_local() {
  plan::Plan plan;
  plan.hosts.resize(2);
  plan.hosts[0].name = "web1";
  plan.hosts[1].name = plan::kLocal;
  plan.hosts[1].local = true;
  plan.scripts.push_back({"true", "here:1"});
  plan.nodes.resize(1);
  plan.nodes[0].path = "p/build";
  plan.nodes[0].hosts = {0, 1};
  plan.nodes[0].actions.resize(1);
  plan.nodes[0].actions[0].apply = 0;
  return plan;
}

class LocalHere : public ::testing::Test {
 protected:
  void SetUp() override {
    events::RunStarted started;
    started.user = "kim";
    started.controller = "desk";
    started.machine = "aa";
    add(started);
  }
  template <class T>
  void add(T what) {
    Event event;
    event.what = std::move(what);
    record.push_back(std::move(event));
  }
  void begin(plan::HostIndex host, std::uint64_t task) {
    events::ActionStarted started;
    started.host = host;
    started.task = task;
    add(started);
  }
  void end(plan::HostIndex host, std::uint64_t task) {
    events::ActionEnded ended;
    ended.host = host;
    ended.task = task;
    add(ended);
  }
  void resumed(const std::string& user, const std::string& machine) {
    events::RunResumed again;
    again.user = user;
    again.controller = "laptop";
    again.machine = machine;
    add(again);
  }
  Status may(const Here& here) {
    return can_follow_local(plan, record, left_by(plan, record), here);
  }

  const plan::Plan plan = with_local();
  std::vector<Event> record;
};

TEST_F(LocalHere, ATaskInFlightIsFollowedOnItsOwnMachineAlone) {
  begin(1, 7);
  EXPECT_TRUE(may({"aa", "kim"}));
  const Status elsewhere = may({"bb", "kim"});
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().what,
              HasSubstr("`p/build` may be running on `local`, which is desk"));
  EXPECT_THAT(elsewhere.error().help, HasSubstr("resume the run on desk"));
}

TEST_F(LocalHere, ATaskInFlightIsFollowedByItsOwnUserAlone) {
  begin(1, 7);
  const Status other = may({"aa", "ann"});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().what, HasSubstr("was started on `local` by kim"));
  EXPECT_THAT(other.error().help, HasSubstr("resume the run as kim"));
}

TEST_F(LocalHere, ATaskInFlightOnAnotherHostIsFollowedFromAnywhere) {
  begin(0, 7);
  EXPECT_TRUE(may({"bb", "ann"}));
}

TEST_F(LocalHere, ARunWithoutATaskInFlightContinuesAnywhere) {
  begin(1, 7);
  end(1, 7);
  EXPECT_TRUE(may({"bb", "ann"}));
}

TEST_F(LocalHere, TheLastControllerCounts) {
  begin(1, 7);
  end(1, 7);
  resumed("ann", "bb");
  begin(1, 8);
  EXPECT_TRUE(may({"bb", "ann"}));
  const Status back = may({"aa", "kim"});
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().what, HasSubstr("which is laptop"));
}

TEST_F(LocalHere, WhatWasDoneThereIsUndoneThere) {
  begin(1, 7);
  end(1, 7);
  EXPECT_TRUE(can_undo_local(plan, record, {"aa", "ann"}));
  EXPECT_FALSE(can_undo_local(plan, record, {"bb", "kim"}));
}

TEST_F(LocalHere, ARunWithoutLocalIsUndoneFromAnywhere) {
  plan::Plan other = plan;
  other.hosts.pop_back();
  EXPECT_TRUE(can_undo_local(other, record, {"bb", "kim"}));
}

}  // namespace
}  // namespace cnplay::run::test
