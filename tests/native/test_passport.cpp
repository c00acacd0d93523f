#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "artifact.h"
#include "error.h"
#include "made_artifact.h"
#include "npy.h"
#include "onnx_file.h"

using nlohmann::json;
using resemote_internal::Artifact;
using resemote_internal::Error;
using resemote_internal::parse_passport;

namespace {

resemote_status status_of(const json& passport) {
  try {
    parse_passport(passport.dump(), "passport.json");
    return RESEMOTE_STATUS_OK;
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::StartsWith("passport.json: "));
    CHECK_THAT(error.what(), Catch::Contains("export the artifact again"));
    return error.status();
  }
}

resemote_status open_status(const std::string& path) {
  try {
    Artifact artifact(path);
    return RESEMOTE_STATUS_OK;
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Contains(path.substr(0, 10)));
    return error.status();
  }
}

}  // namespace

TEST_CASE("a passport is read") {
  const MadeArtifact made;
  const resemote_internal::Passport passport = parse_passport(made.passport.dump(), "here");
  CHECK(passport.name == "made");
  CHECK(passport.labels == std::vector<std::string>{"happy", "sad", "neutral"});
  CHECK(passport.inputs[0].dims == std::vector<std::int64_t>{-1, 3, 64, 64});
  CHECK(passport.batch_max == 0);
  CHECK(passport.files.size() == 3);
  CHECK_FALSE(passport.gives_probabilities());
}

TEST_CASE("another schema is refused with both numbers") {
  MadeArtifact made;
  made.passport["schema_version"] = 3;
  CHECK(status_of(made.passport) == RESEMOTE_STATUS_PASSPORT_VERSION);
  CHECK_THROWS_WITH(parse_passport(made.passport.dump(), "x"), Catch::Contains("schema 3") && Catch::Contains("schema 2"));
}

TEST_CASE("nesting as deep as a file can hold is read or refused, and never overflows the stack") {
  const MadeArtifact made;
  constexpr std::size_t kDepth = 200000;
  const auto deep = [&](const std::string& open, const std::string& close) {
    std::string text;
    for (std::size_t i = 0; i < kDepth; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < kDepth; ++i) text += close;
    return text;
  };
  const std::string nested[] = {deep("[", "]"), deep("{\"a\":", "}")};
  for (const std::string& text : nested) {
    CHECK_THROWS_AS(parse_passport(text, "x"), Error);
    CHECK_THROWS_AS(parse_passport(text.substr(0, text.size() / 2), "x"), Error);
    for (const char* field : {"unknown", "labels", "preprocessing", "engine", "files"}) {
      json passport = made.passport;
      passport.erase(field);
      const std::string rest = passport.dump().substr(1);
      const std::string whole = "{\"" + std::string(field) + "\":" + text + "," + rest;
      if (std::string(field) == "unknown") {
        CHECK(parse_passport(whole, "x").name == "made");
      } else {
        CHECK_THROWS_AS(parse_passport(whole, "x"), Error);
      }
    }
  }
}

TEST_CASE("an artifact of another kind is refused in words") {
  MadeArtifact made;
  made.passport["kind"] = "classifier";
  CHECK(status_of(made.passport) == RESEMOTE_STATUS_OK);
  made.passport["kind"] = "oracle";
  made.passport.erase("labels");
  CHECK_THROWS_WITH(parse_passport(made.passport.dump(), "x"),
                    "x: an artifact of the kind 'oracle', this library runs classifiers and detectors of faces; use the "
                    "version that wrote it");
  made.passport["kind"] = 5;
  CHECK(status_of(made.passport) == RESEMOTE_STATUS_ARTIFACT_INVALID);
}

namespace {

nlohmann::json detector_passport() {
  nlohmann::json passport = MadeArtifact("bgr-u8").passport;
  for (const char* name : {"labels", "preprocessing"}) passport.erase(name);
  passport["kind"] = "detector";
  passport["family"] = "yunet";
  passport["width"] = 64;
  passport["height"] = 32;
  passport["input"] = "bgr-u8";
  passport["framing"] = {{"scale", 1.12}, {"shift", -0.015}};
  passport["min_score"] = 0.6;
  passport["max_overlap"] = 0.3;
  passport["inputs"][0]["shape"] = {1, 32, 64, 3};
  passport["outputs"] = {{{"name", "cls_8"}, {"dtype", "float32"}, {"shape", {1, 32, 1}}},
                         {{"name", "bbox_8"}, {"dtype", "float32"}, {"shape", {1, 32, 4}}}};
  passport["batch"] = {{"min", 1}, {"opt", 1}, {"max", 1}};
  nlohmann::json& golden = passport["golden"];
  golden["frames"] = golden["crops"];
  golden["outputs"] = golden["logits"];
  golden["repeat"] = 4;
  return passport;
}

}  // namespace

TEST_CASE("a detector's passport is read") {
  const resemote_internal::Passport passport = parse_passport(detector_passport().dump(), "here");
  CHECK(passport.kind == resemote_internal::Kind::kDetector);
  CHECK(passport.detector.family == "yunet");
  CHECK(passport.detector.width == 64);
  CHECK(passport.detector.framing_scale == 1.12);
  CHECK(passport.detector.framing_shift == -0.015);
  CHECK(passport.inputs[0].dims == std::vector<std::int64_t>{1, 32, 64, 3});
  CHECK(passport.outputs.size() == 2);
  CHECK(passport.golden.repeat == 4);
  CHECK(passport.labels.empty());
}

TEST_CASE("a detector's passport that contradicts itself is refused") {
  nlohmann::json passport = detector_passport();
  SECTION("the width of another network") { passport["width"] = 96; }
  SECTION("a side that the strides do not divide") { passport["height"] = 40; }
  SECTION("gray pixels") { passport["input"] = "gray-u8"; }
  SECTION("a batch") { passport["inputs"][0]["shape"][0] = "batch"; }
  SECTION("a batch size") { passport["batch"]["max"] = 2; }
  SECTION("two pictures at once") { passport["outputs"][0]["shape"][0] = 2; }
  SECTION("outputs of bytes") { passport["outputs"][1]["dtype"] = "uint8"; }
  SECTION("outputs of one name") { passport["outputs"][1]["name"] = "cls_8"; }
  SECTION("outputs larger than memory") { passport["outputs"][1]["shape"] = {1, 65536, 65536, 4}; }
  SECTION("outputs of many sides") { passport["outputs"][1]["shape"] = {1, 65536, 65536, 65536, 65536, 65536}; }
  SECTION("no outputs") { passport["outputs"] = nlohmann::json::array(); }
  SECTION("a score above one") { passport["min_score"] = 1.5; }
  SECTION("a frame of no size") { passport["framing"]["scale"] = 0; }
  SECTION("a frame that is no number") { passport["framing"]["shift"] = "low"; }
  SECTION("pictures that do not fill the input") { passport["golden"]["repeat"] = 5; }
  SECTION("pixels that stand for none") { passport["golden"]["repeat"] = 0; }
  SECTION("no family") { passport.erase("family"); }
  CHECK(status_of(passport) == RESEMOTE_STATUS_ARTIFACT_INVALID);
}

TEST_CASE("a passport with a field missing or of another type is refused") {
  const MadeArtifact made;
  const std::string name = GENERATE("schema_version", "name", "precision", "labels", "preprocessing", "inputs",
                                    "outputs", "batch", "files", "golden");
  json missing = made.passport;
  missing.erase(name);
  CHECK(status_of(missing) == RESEMOTE_STATUS_ARTIFACT_INVALID);
  json wrong = made.passport;
  wrong[name] = name == "name" || name == "precision" ? json(5) : json("five");
  CHECK(status_of(wrong) == RESEMOTE_STATUS_ARTIFACT_INVALID);
}

TEST_CASE("a passport that would lead past a buffer's end is refused") {
  const MadeArtifact made;
  const std::pair<const char*, json> change = GENERATE(
      std::make_pair("/inputs/0/shape", json{"batch", 3, 64, 65}), std::make_pair("/inputs/0/shape", json{3, 64, 64}),
      std::make_pair("/inputs/0/shape", json{"batch", 3, 64, -1}), std::make_pair("/inputs/0/dtype", json("uint8")),
      std::make_pair("/inputs/0/dtype", json("float64")), std::make_pair("/outputs/0/shape", json{"batch", 4}),
      std::make_pair("/outputs/0/name", json("scores")), std::make_pair("/labels", json{"happy", "happy", "sad"}),
      std::make_pair("/labels", json::array()), std::make_pair("/preprocessing/height", json(1 << 20)),
      std::make_pair("/preprocessing/std", json{0.2, 0.0, 0.2}), std::make_pair("/preprocessing/mean", json{0.2, 0.2}),
      std::make_pair("/preprocessing/input", json("yuv")), std::make_pair("/preprocessing/resize", json("nearest")),
      std::make_pair("/batch/min", json(0)), std::make_pair("/batch/max", json(18446744073709551615u)),
      std::make_pair("/files/0/path", json("../model.onnx")), std::make_pair("/files/0/path", json("")),
      std::make_pair("/files/0/path", json("..")), std::make_pair("/files/0/path", json("a\nb")),
      std::make_pair("/files/1/path", json("model.onnx")), std::make_pair("/files/1/role", json("model")),
      std::make_pair("/golden/crops", json("other.npy")), std::make_pair("/golden/logits", json("model.onnx")),
      std::make_pair("/golden/logits", json("golden_crops.npy")), std::make_pair("/golden/logits", json("../x.npy")),
      std::make_pair("/golden/count", json(0)), std::make_pair("/golden/max_abs_diff", json(-1.0)),
      std::make_pair("/name", json("../../x")), std::make_pair("/name", json("..")), std::make_pair("/name", json("")),
      std::make_pair("/preprocessing/std", json{0.2, -0.1, 0.2}), std::make_pair("/files/0/size_bytes", json(1.5)));
  json changed = made.passport;
  changed[json::json_pointer(change.first)] = change.second;
  INFO(change.first << " = " << change.second);
  CHECK(status_of(changed) == RESEMOTE_STATUS_ARTIFACT_INVALID);
}

TEST_CASE("what is not JSON is refused, however deep") {
  for (const std::string& text : {std::string(), std::string("{"), std::string("\xff\xfe"), std::string(1000000, '['),
                                  std::string("[]"), std::string("null")}) {
    CHECK_THROWS_AS(parse_passport(text, "x"), Error);
  }
}

TEST_CASE("an artifact is what its passport says, file by file") {
  MadeArtifact made;
  CHECK(open_status(made.path()) == RESEMOTE_STATUS_OK);
  CHECK(open_status(made.file("passport.json")) == RESEMOTE_STATUS_OK);
  CHECK(open_status(std::string(made.path()) + "/") == RESEMOTE_STATUS_OK);

  SECTION("nothing there") { CHECK(open_status("/tmp/nowhere") == RESEMOTE_STATUS_ARTIFACT_INVALID); }
  SECTION("a file in its place") { CHECK(open_status(made.file("model.onnx")) == RESEMOTE_STATUS_ARTIFACT_INVALID); }
  SECTION("no passport") {
    std::remove(made.file("passport.json").c_str());
    CHECK(open_status(made.path()) == RESEMOTE_STATUS_ARTIFACT_INVALID);
  }
  SECTION("a file missing") {
    std::remove(made.file("model.onnx").c_str());
    CHECK(open_status(made.path()) == RESEMOTE_STATUS_ARTIFACT_INVALID);
  }
  SECTION("a file cut off") {
    write_text(made.file("model.onnx"), "\x0a\x04" "ech");
    CHECK(open_status(made.path()) == RESEMOTE_STATUS_ARTIFACT_MISMATCH);
  }
  SECTION("a pipe in place of a file, which must not be waited for") {
    std::remove(made.file("golden_crops.npy").c_str());
    REQUIRE(mkfifo(made.file("golden_crops.npy").c_str(), 0600) == 0);
    CHECK(open_status(made.path()) == RESEMOTE_STATUS_ARTIFACT_INVALID);
  }
  SECTION("a link that leads out of the folder") {
    const MadeArtifact other;
    std::remove(made.file("model.onnx").c_str());
    REQUIRE(symlink(other.file("model.onnx").c_str(), made.file("model.onnx").c_str()) == 0);
    CHECK(open_status(made.path()) == RESEMOTE_STATUS_ARTIFACT_INVALID);
  }
  SECTION("a link within the folder") {
    REQUIRE(std::rename(made.file("model.onnx").c_str(), made.file("kept.onnx").c_str()) == 0);
    REQUIRE(symlink("kept.onnx", made.file("model.onnx").c_str()) == 0);
    CHECK(open_status(made.path()) == RESEMOTE_STATUS_OK);
  }
  SECTION("a bit changed") {
    write_text(made.file("model.onnx"), "\x0a\x04" "ecko");
    CHECK(open_status(made.path()) == RESEMOTE_STATUS_ARTIFACT_MISMATCH);
  }
}

TEST_CASE("npy files that are not whole are refused") {
  const MadeArtifact made;
  const std::string good = made.file("golden_crops.npy");
  CHECK(resemote_internal::read_npy(good).shape == std::vector<std::int64_t>{2, 16, 16, 3});
  for (const std::string& text : {std::string(), std::string("\x93NUMPY"), std::string("\x93NUMPY\x01\x00\xff\xff", 10),
                                  std::string("\x93NUMPY\x02\x00\x00\x00", 10)}) {
    write_text(made.file("model.onnx"), text);
    CHECK_THROWS_AS(resemote_internal::read_npy(made.file("model.onnx")), Error);
  }
}

namespace {

// A field of a protocol buffer that holds bytes.
std::string field(int number, const std::string& content) {
  const int key = number << 3 | 2;
  std::string bytes;
  if (key >= 0x80) bytes += static_cast<char>((key & 0x7F) | 0x80);
  bytes += static_cast<char>(key >= 0x80 ? key >> 7 : key);
  bytes += static_cast<char>(content.size());
  return bytes + content;
}

bool is_refused(const MadeArtifact& made, const std::string& content) {
  write_text(made.file("model.onnx"), content);
  try {
    resemote_internal::refuse_external_data(made.file("model.onnx"));
    return false;
  } catch (const Error& error) {
    CHECK(error.status() == RESEMOTE_STATUS_ARTIFACT_INVALID);
    return true;
  }
}

}  // namespace

TEST_CASE("tensors whose data lies outside the ONNX are refused wherever they stand") {
  const MadeArtifact made;
  // external_data; data_location = EXTERNAL; data_location = DEFAULT, which is inside.
  const std::string outside = GENERATE(std::string("\x6a\x00", 2), std::string("\x70\x01"));
  const std::string inside("\x70\x00", 2);
  const std::vector<std::vector<int>> ways = {
      {5, 7},  {1, 15, 7},  {2, 15, 7},     {5, 5, 1, 7},      {10, 5, 1, 7},    {5, 6, 5, 1, 7},
      {5, 11, 5, 1, 7}, {1, 22, 5, 1, 7}, {5, 5, 7, 25}, {5, 11, 25}, {5, 1, 20}, {5, 2, 20},
  };
  for (const std::vector<int>& way : ways) {
    std::string bad = outside, good = inside;
    for (const int number : way) {
      bad = field(number, bad);
      good = field(number, good);
    }
    CHECK(is_refused(made, bad));
    CHECK_FALSE(is_refused(made, good));
  }
}

TEST_CASE("what is no ONNX is refused") {
  const MadeArtifact made;
  for (const std::string& content : {std::string(), std::string("\x3a\xff\xff\xff\x7f"), std::string(64, '\xff'),
                                     std::string("\x0b\x0c"), std::string("version https://git-lfs")}) {
    CHECK(is_refused(made, content));
  }
  // A key with bits above the 32 that readers keep of it, which would be external_data to them.
  CHECK(is_refused(made, field(7, field(5, std::string("\xea\x80\x80\x80\x80\x01\x00", 7)))));
}
