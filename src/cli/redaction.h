// Where redaction meets the events: secrets/ knows nothing of events, events/ nothing of secrets.
#pragma once

#include "events/redact.h"
#include "secrets/redactor.h"

namespace cnplay::cli {

// `redactor` must outlive the result.
events::Redaction redaction(const secrets::Redactor& redactor);

}  // namespace cnplay::cli
