// A run as JUnit XML, for the machines that show test results: one suite a host, one case a step.
#pragma once

#include <string>

#include "report/account.h"

namespace cnplay::report {

// The suite "run" comes first: it fails whenever the run did not end with success, whatever the
// steps say. Steps that were never begun are skipped cases. A step that failed is a <failure>; one
// that was unreachable, unknown, aborted or has no end on record is an <error>. Long output is cut
// where that is said.
std::string junit(const Account& account);

}  // namespace cnplay::report
