// A run as one HTML file for people: verdict, what failed, outage and times, timeline, changes.
#pragma once

#include <string>

#include "report/account.h"

namespace cnplay::report {

// The file holds all that it needs: no script, nothing that is loaded. Texts are escaped, whoever
// wrote them, and a content security policy allows the file nothing but its own style. Long texts
// are cut where that is said: of what hosts say there are at most 8 MiB in all.
std::string html(const Account& account);

}  // namespace cnplay::report
