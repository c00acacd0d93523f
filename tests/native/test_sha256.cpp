// Against the examples of FIPS 180-4.
#include <catch2/catch.hpp>

#include "sha256.h"

namespace {

std::string of(const std::string& text, std::size_t piece) {
  resemote_internal::Sha256 digest;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    digest.update(text.data() + at, std::min(piece, text.size() - at));
  }
  return digest.finish();
}

}  // namespace

TEST_CASE("sha256 of the standard's examples, in pieces of any size") {
  const std::size_t piece = GENERATE(1u, 3u, 55u, 64u, 65u, 1000000u);
  CHECK(of("", piece) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(of("abc", piece) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", piece) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(of(std::string(1000000, 'a'), piece) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
