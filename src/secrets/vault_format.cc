#include "secrets/vault_format.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <vector>

#include "base/base64.h"
#include "base/memory_lock.h"

namespace cnplay::secrets {
namespace {

constexpr std::string_view kMagic = "cnplay-vault ";
constexpr std::string_view kVersion = "1";
constexpr std::string_view kSum = "sum ";
constexpr std::size_t kLine = 76;
// The length of what is inside is hidden up to this.
constexpr std::size_t kPadding = 512;
constexpr std::size_t kMaxValue = 64u << 10;
// A file that wants more than twice what is written here is not believed: it would take long before
// a wrong one is refused.
constexpr std::uint64_t kMaxMemory = 2 * VaultCost{}.memory;
constexpr std::uint64_t kMaxOperations = 2 * VaultCost{}.operations;
constexpr const char* kContext = "cnvault1";  // of the two keys that are made of one

void need_sodium() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used");
}

unsigned char* bytes_of(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }
const unsigned char* bytes_of(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}
template <std::size_t N>
std::string_view view_of(const std::array<unsigned char, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

std::string sum_of(std::string_view bytes) {
  std::array<unsigned char, 16> sum{};
  crypto_generichash(sum.data(), sum.size(), bytes_of(bytes), bytes.size(), nullptr, 0);
  return base64_encode(view_of(sum));
}

Error damaged(const std::string& name, const std::string& how) {
  return fail(name + " is damaged: " + how,
              "take it from a backup or from version control; nothing was written to it");
}

// ---- the entries as bytes: a count, then texts, each behind its length

void put_number(std::string& out, std::uint32_t n) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(n >> shift & 0xFF);
}
void put_text(std::string& out, std::string_view text) {
  put_number(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

Secret to_bytes(const VaultEntries& entries) {
  std::size_t size = 4 + kPadding;
  for (const auto& [path, entry] : entries) {
    size += 17 + path.size() + entry.value.reveal().size() + entry.run.size() +
            (entry.former ? entry.former->reveal().size() : 0);
  }
  std::string out;
  out.reserve(size);  // at once: growing would leave copies of secrets in the heap
  put_number(out, static_cast<std::uint32_t>(entries.size()));
  for (const auto& [path, entry] : entries) {
    put_text(out, path);
    put_text(out, entry.value.reveal());
    put_text(out, entry.run);
    out += entry.former ? '\1' : '\0';
    put_text(out, entry.former ? entry.former->reveal() : std::string_view());
  }
  const std::size_t used = out.size();
  out.resize(used + kPadding);
  std::size_t padded = 0;
  sodium_pad(&padded, bytes_of(out), used, kPadding, out.size());
  out.resize(padded);
  return Secret(std::move(out));
}

class EntryReader {
 public:
  explicit EntryReader(std::string_view bytes) : rest_(bytes) {}

  std::uint32_t number() {
    std::uint32_t n = 0;
    const std::string_view bytes = take(4);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      n |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    return n;
  }
  std::string text() { return std::string(take(number())); }
  bool flag() { return take(1) == std::string_view("\1", 1); }
  bool whole() const { return good_ && rest_.empty(); }
  bool good() const { return good_; }

 private:
  std::string_view take(std::size_t n) {
    if (n > rest_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }

  std::string_view rest_;
  bool good_ = true;
};

// ---- the file's lines

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto space = line.find(' ');
    words.push_back(line.substr(0, space));
    if (space == std::string_view::npos) return words;
    line.remove_prefix(space + 1);
  }
}

bool read_number(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

template <std::size_t N>
bool read_bytes(std::string_view text, std::array<unsigned char, N>& out) {
  const auto bytes = base64_decode(text);
  if (!bytes || bytes->size() != N) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

std::string header_of(const SealedVault& v) {
  return std::string(kMagic) + std::string(kVersion) + "\nkdf argon2id " +
         std::to_string(v.cost.operations) + " " + std::to_string(v.cost.memory) + " " +
         base64_encode(view_of(v.salt)) + "\ncheck " + base64_encode(view_of(v.check)) +
         "\nnonce " + base64_encode(view_of(v.nonce)) + "\n";
}

}  // namespace

// ---- VaultKey

Result<VaultKey> VaultKey::make(const Secret& password, const VaultCost& cost) {
  need_sodium();
  Salt salt{};
  randombytes_buf(salt.data(), salt.size());
  return make(password, cost, salt);
}

Result<VaultKey> VaultKey::make(const Secret& password, const VaultCost& cost, const Salt& salt) {
  need_sodium();
  static_assert(std::tuple_size_v<Salt> == crypto_pwhash_argon2id_SALTBYTES);
  VaultKey key;
  key.cost_ = cost;
  key.salt_ = salt;
  const std::string& text = password.reveal();
  if (crypto_pwhash(key.bytes_.data(), key.bytes_.size(), text.data(), text.size(), salt.data(),
                    cost.operations, cost.memory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail("the vault's key cannot be made of its password: that takes " +
                    std::to_string(cost.memory >> 20) + " MiB of memory",
                "free some memory, or raise the limit (`ulimit -v`)");
  }
  return key;
}

VaultKey::VaultKey() : locked_(bytes_.data(), bytes_.size()) {}
VaultKey::VaultKey(const VaultKey& other) : VaultKey() { *this = other; }
VaultKey& VaultKey::operator=(const VaultKey& other) {
  cost_ = other.cost_;
  salt_ = other.salt_;
  bytes_ = other.bytes_;
  return *this;
}
VaultKey::~VaultKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

std::array<unsigned char, 32> VaultKey::cipher_key() const {
  std::array<unsigned char, 32> out{};
  crypto_kdf_derive_from_key(out.data(), out.size(), 1, kContext, bytes_.data());
  return out;
}

std::array<unsigned char, 16> VaultKey::check() const {
  std::array<unsigned char, 16> out{};
  crypto_kdf_derive_from_key(out.data(), out.size(), 2, kContext, bytes_.data());
  return out;
}

// ---- the file

bool looks_like_vault(std::string_view bytes) { return bytes.starts_with(kMagic); }

Result<SealedVault> parse_vault(const std::string& name, std::string_view bytes) {
  need_sodium();
  if (bytes.empty()) return damaged(name, "it is empty");
  if (!looks_like_vault(bytes)) {
    return fail(name + " is not a vault: it does not begin with `" + std::string(kMagic) + "`",
                "`cnplay vault init` makes one; perhaps the file is damaged, or another one");
  }
  // All versions end with the sum, so that damage is told from what is newer.
  const auto last = bytes.rfind("\nsum ");
  if (bytes.back() != '\n' || last == std::string_view::npos) {
    return damaged(name, "its end is missing");
  }
  const std::string_view body = bytes.substr(0, last + 1);
  const std::string_view sum = bytes.substr(last + 1 + kSum.size());
  if (sum.substr(0, sum.size() - 1) != sum_of(body)) {
    return damaged(name, "its checksum does not match its contents");
  }
  const auto first_line = body.substr(0, body.find('\n'));
  const std::string_view version = first_line.substr(kMagic.size());
  if (version != kVersion) {
    return fail(name + " is a vault of version " + to_valid_utf8(version.substr(0, 20)) +
                    "; this cnplay reads version " + std::string(kVersion),
                "use the cnplay that wrote it");
  }
  SealedVault v;
  std::string_view rest = body;
  std::vector<std::vector<std::string_view>> lines;
  for (int i = 0; i < 4 && !rest.empty(); ++i) {
    lines.push_back(words_of(rest.substr(0, rest.find('\n'))));
    rest.remove_prefix(rest.find('\n') + 1);
  }
  const bool shaped = lines.size() == 4 && lines[1].size() == 5 && lines[1][0] == "kdf" &&
                      lines[1][1] == "argon2id" && read_number(lines[1][2], v.cost.operations) &&
                      read_number(lines[1][3], v.cost.memory) && read_bytes(lines[1][4], v.salt) &&
                      lines[2].size() == 2 && lines[2][0] == "check" &&
                      read_bytes(lines[2][1], v.check) && lines[3].size() == 2 &&
                      lines[3][0] == "nonce" && read_bytes(lines[3][1], v.nonce);
  v.header = std::string(body.substr(0, body.size() - rest.size()));
  if (!shaped || v.header != header_of(v)) return damaged(name, "its head cannot be read");
  if (v.cost.operations < 1 || v.cost.operations > kMaxOperations ||
      v.cost.memory < crypto_pwhash_argon2id_MEMLIMIT_MIN || v.cost.memory > kMaxMemory) {
    return damaged(name, "its head asks for more work or memory than any vault needs");
  }
  std::string base64(rest);
  std::erase(base64, '\n');
  auto ciphertext = base64_decode(base64);
  if (!ciphertext || ciphertext->size() < crypto_aead_xchacha20poly1305_ietf_ABYTES) {
    return damaged(name, "its entries cannot be read");
  }
  v.ciphertext = *std::move(ciphertext);
  return v;
}

Result<VaultEntries> open_vault(const std::string& name, const SealedVault& sealed,
                                const VaultKey& key) {
  const auto check = key.check();
  if (sodium_memcmp(check.data(), sealed.check.data(), check.size()) != 0) {
    return fail("wrong password for " + name,
                "the file was not changed; if the password is right, the file is another one, or "
                "somebody changed its head");
  }
  auto cipher_key = key.cipher_key();
  std::string plain(sealed.ciphertext.size() - crypto_aead_xchacha20poly1305_ietf_ABYTES, '\0');
  const MemoryLock locked(plain);
  const int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(
      bytes_of(plain), nullptr, nullptr, bytes_of(std::string_view(sealed.ciphertext)),
      sealed.ciphertext.size(), bytes_of(std::string_view(sealed.header)), sealed.header.size(),
      sealed.nonce.data(), cipher_key.data());
  sodium_memzero(cipher_key.data(), cipher_key.size());
  const Secret text(std::move(plain));
  if (rc != 0) {
    return fail(
        name + " was changed by somebody who does not know its password",
        "do not trust it: take it from a backup or from version control, and look who could "
        "write there");
  }
  std::size_t used = 0;
  if (sodium_unpad(&used, bytes_of(std::string_view(text.reveal())), text.reveal().size(),
                   kPadding) != 0) {
    return damaged(name, "what is in it cannot be read");
  }
  EntryReader reader(std::string_view(text.reveal()).substr(0, used));
  VaultEntries entries;
  const std::uint32_t count = reader.number();
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    std::string path = reader.text();
    VaultEntry entry;
    entry.value = Secret(reader.text());
    entry.run = reader.text();
    const bool has_former = reader.flag();
    Secret former(reader.text());
    if (has_former) entry.former = std::move(former);
    entries.insert_or_assign(std::move(path), std::move(entry));
  }
  if (!reader.whole()) return damaged(name, "what is in it cannot be read");
  return entries;
}

std::string seal_vault(const VaultEntries& entries, const VaultKey& key) {
  need_sodium();
  SealedVault v;
  v.cost = key.cost();
  v.salt = key.salt();
  v.check = key.check();
  randombytes_buf(v.nonce.data(), v.nonce.size());
  std::string out = header_of(v);
  const Secret plain = to_bytes(entries);
  std::string ciphertext(plain.reveal().size() + crypto_aead_xchacha20poly1305_ietf_ABYTES, '\0');
  auto cipher_key = key.cipher_key();
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      bytes_of(ciphertext), nullptr, bytes_of(std::string_view(plain.reveal())),
      plain.reveal().size(), bytes_of(std::string_view(out)), out.size(), nullptr, v.nonce.data(),
      cipher_key.data());
  sodium_memzero(cipher_key.data(), cipher_key.size());
  const std::string base64 = base64_encode(ciphertext);
  for (std::size_t at = 0; at < base64.size(); at += kLine) out += base64.substr(at, kLine) + "\n";
  return out + std::string(kSum) + sum_of(out) + "\n";
}

Status valid_vault_path(std::string_view path) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (!path.empty() && path.size() <= 255 && path.front() != ' ' && path.back() != ' ' &&
      std::ranges::none_of(path, control) && to_valid_utf8(path) == path) {
    return {};
  }
  return fail("`" + Untrusted(std::string(path)).display(80) + "` cannot be a path in a vault",
              "write something like `prod/db/password`: 1 to 255 bytes, no control characters, no "
              "space at its ends");
}

Status valid_vault_value(const Secret& value) {
  const std::string& text = value.reveal();
  if (text.empty()) return fail("the value is empty", "give it on stdin or on the terminal");
  if (text.size() > kMaxValue)
    return fail("the value is larger than 64 KiB", "keep files elsewhere");
  if (text.find('\0') != std::string::npos) {
    return fail("the value holds a NUL byte, which no script can take", "encode it: base64 < FILE");
  }
  return {};
}

}  // namespace cnplay::secrets
