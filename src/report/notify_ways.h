// The ways in which a notification goes out. Inside of report/. Each blocks for at most `timeout`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "base/units.h"

namespace cnplay::report {

// Runs `argv` (no shell) with `text` on its stdin, its output thrown away, and wants exit code 0.
// It is killed with its process group when its time is over.
Status to_command(const std::vector<std::string>& argv, const std::string& text, Duration timeout);

// POST of JSON. http and https alone, no redirects, certificates are checked; wants a 2xx.
// `hidden`: the address is a secret, and nothing of it is in the Error; a token then goes over
// https alone.
//
// Certificates are those of the system, or of the file that CURL_CA_BUNDLE or SSL_CERT_FILE names.
Status to_webhook(const Secret& url, bool hidden, const std::optional<Secret>& token,
                  const std::string& json, Duration timeout);

struct Envelope {
  std::string server;  // smtp://host[:port], smtps://host[:port]
  std::string from;
  std::vector<std::string> to;
  std::string user;  // "": no login
  Secret password;
};
// With a password never without TLS; without one TLS is used where the server offers it.
Status to_mail(const Envelope& envelope, const std::string& message, Duration timeout);

}  // namespace cnplay::report
