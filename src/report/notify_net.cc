// libcurl stands here alone, and is loaded by whoever has something to send: it comes with 25
// libraries (TLS, Kerberos, LDAP, ...), which cost every start of the program 2 ms.
#include <curl/curl.h>
#include <dlfcn.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "report/notify_ways.h"

namespace cnplay::report {
namespace {

// What is needed of libcurl.so.4, which stays loaded. All null if it is not there.
struct Curl {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) init = nullptr;
  decltype(&::curl_easy_cleanup) cleanup = nullptr;
  decltype(&::curl_easy_setopt) setopt = nullptr;
  decltype(&::curl_easy_perform) perform = nullptr;
  decltype(&::curl_easy_getinfo) getinfo = nullptr;
  decltype(&::curl_easy_strerror) strerror = nullptr;
  decltype(&::curl_slist_append) append = nullptr;
  decltype(&::curl_slist_free_all) free_all = nullptr;
  std::string missing;  // why it cannot be used

  static const Curl& get() {
    static const Curl loaded;
    return loaded;
  }

 private:
  Curl() {
    void* const library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    const bool all =
        library != nullptr && find(library, "curl_global_init", global_init) &&
        find(library, "curl_easy_init", init) && find(library, "curl_easy_cleanup", cleanup) &&
        find(library, "curl_easy_setopt", setopt) && find(library, "curl_easy_perform", perform) &&
        find(library, "curl_easy_getinfo", getinfo) &&
        find(library, "curl_easy_strerror", strerror) &&
        find(library, "curl_slist_append", append) &&
        find(library, "curl_slist_free_all", free_all);
    if (all && global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) return;
    const char* why = all ? "it cannot be initialised" : ::dlerror();
    missing = std::string("libcurl cannot be used: ") + (why == nullptr ? "unknown" : why);
  }

  template <class F>
  static bool find(void* library, const char* name, F& to) {
    to = reinterpret_cast<F>(::dlsym(library, name));
    return to != nullptr;
  }
};

struct Free {
  void operator()(CURL* curl) const { Curl::get().cleanup(curl); }
  void operator()(curl_slist* list) const { Curl::get().free_all(list); }
};
using Handle = std::unique_ptr<CURL, Free>;
using List = std::unique_ptr<curl_slist, Free>;

bool add(List& list, const std::string& text) {
  curl_slist* longer = Curl::get().append(list.get(), text.c_str());
  if (longer == nullptr) return false;
  (void)list.release();
  list.reset(longer);
  return true;
}

// What the other side answers is of no interest, and has no bound.
std::size_t drop(char*, std::size_t size, std::size_t n, void*) { return size * n; }

struct Reading {
  const std::string* text;
  std::size_t at = 0;
};
std::size_t read(char* into, std::size_t size, std::size_t n, void* from) {
  auto& reading = *static_cast<Reading*>(from);
  const std::size_t count = std::min(size * n, reading.text->size() - reading.at);
  std::memcpy(into, reading.text->data() + reading.at, count);
  reading.at += count;
  return count;
}

Result<Handle> handle(const std::string& url, const char* protocols, Duration timeout) {
  const Curl& library = Curl::get();
  if (!library.missing.empty()) return fail(library.missing, "install libcurl4");
  Handle curl(library.init());
  if (curl == nullptr) return fail("libcurl cannot be used");
  CURL* c = curl.get();
  const long ms = static_cast<long>(std::max<std::int64_t>(1, timeout.count()));
  bool good = true;
  const auto set = [&](CURLoption option, auto value) {
    good = good && Curl::get().setopt(c, option, value) == CURLE_OK;
  };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, protocols);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, ms);
  set(CURLOPT_CONNECTTIMEOUT_MS, std::min(ms, 10'000L));
  set(CURLOPT_WRITEFUNCTION, &drop);
  set(CURLOPT_HEADERFUNCTION, &drop);
  set(CURLOPT_USERAGENT, "cnplay/" CNPLAY_VERSION);
  // As the curl tool has it: libcurl itself looks at neither.
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* file = std::getenv(name);
    if (file == nullptr || *file == '\0') continue;
    if (::access(file, R_OK) != 0) {
      return fail("the certificates that " + std::string(name) + " names cannot be read: " + file,
                  "correct it, or unset it to use the system's");
    }
    set(CURLOPT_CAINFO, file);
    break;
  }
  if (!good) return fail("the installed libcurl does not support " + std::string(protocols));
  return curl;
}

// libcurl's own words, which name no header and no password.
std::string words(CURLcode code, const char* more) {
  return more[0] != '\0' ? more : Curl::get().strerror(code);
}

bool is_one_line(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

Status to_webhook(const Secret& url, bool hidden, const std::optional<Secret>& token,
                  const std::string& json, Duration timeout) {
  const std::string& address = url.reveal();
  if (hidden && (!is_one_line(address) ||
                 !(address.starts_with("https://") || address.starts_with("http://")))) {
    return fail("the secret address is not an http or https address",
                "look at where it comes from: `https://...`, in one line");
  }
  if (hidden && token && !address.starts_with("https://")) {
    return fail("the token would be readable by everybody on the network", "use https");
  }
  if (token && !is_one_line(token->reveal())) {
    return fail("the token has a character that is not allowed in a token: a space, a newline",
                "look at where it comes from");
  }
  auto curl = handle(address, "http,https", timeout);
  if (!curl) return curl.error();
  CURL* c = curl->get();
  List headers;
  bool good = add(headers, "Content-Type: application/json") && add(headers, "Expect:");
  if (token) good = good && add(headers, "Authorization: Bearer " + token->reveal());
  char more[CURL_ERROR_SIZE] = "";
  const auto set = [&](CURLoption option, auto value) {
    good = good && Curl::get().setopt(c, option, value) == CURLE_OK;
  };
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(more));
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
  set(CURLOPT_POSTFIELDS, json.c_str());
  if (!good) return fail("the request cannot be made");
  const CURLcode code = Curl::get().perform(c);
  // Its longer words may name the host, which is a part of the address.
  if (code != CURLE_OK) return fail(words(code, hidden ? "" : more));
  long status = 0;
  Curl::get().getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return {};
  return fail("the server answered " + std::to_string(status),
              status >= 300 && status < 400 ? "redirects are not followed: write the address "
                                              "that it leads to"
                                            : "");
}

Status to_mail(const Envelope& envelope, const std::string& message, Duration timeout) {
  auto curl = handle(envelope.server, "smtp,smtps", timeout);
  if (!curl) return curl.error();
  CURL* c = curl->get();
  List to;
  bool good = true;
  for (const std::string& address : envelope.to) good = good && add(to, "<" + address + ">");
  const std::string from = "<" + envelope.from + ">";
  char more[CURL_ERROR_SIZE] = "";
  Reading reading{&message};
  const auto set = [&](CURLoption option, auto value) {
    good = good && Curl::get().setopt(c, option, value) == CURLE_OK;
  };
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(more));
  set(CURLOPT_MAIL_FROM, from.c_str());
  set(CURLOPT_MAIL_RCPT, to.get());
  set(CURLOPT_USE_SSL, static_cast<long>(envelope.user.empty() ? CURLUSESSL_TRY : CURLUSESSL_ALL));
  if (!envelope.user.empty()) {
    set(CURLOPT_USERNAME, envelope.user.c_str());
    set(CURLOPT_PASSWORD, envelope.password.reveal().c_str());
  }
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_READFUNCTION, &read);
  set(CURLOPT_READDATA, &reading);
  if (!good) return fail("the mail cannot be made");
  const CURLcode code = Curl::get().perform(c);
  if (code == CURLE_OK) return {};
  return fail(
      words(code, more),
      code == CURLE_USE_SSL_FAILED
          ? "a password is sent only over TLS: write smtps://, or enable STARTTLS on the server"
          : "");
}

}  // namespace cnplay::report
