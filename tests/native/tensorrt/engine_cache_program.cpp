// The engine cache and the checks of versions: needs neither TensorRT nor a GPU. Usage: program EMPTY_FOLDER
#include <fstream>
#include <string>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

#include "check.h"
#include "engine_cache.h"
#include "engine_fit.h"
#include "error.h"
#include "file.h"

namespace {

using resemote_internal::Error;
using resemote_internal::Passport;
using resemote_internal::tensorrt::CachedPlan;
using resemote_internal::tensorrt::EngineCache;
using resemote_internal::tensorrt::EngineKey;

const std::string kPlan("plan\0with zeros\n", 16);

EngineKey a_key() {
  return {std::string(64, 'a'), "8.2.1", "10.2", "5.3", "NVIDIA Tegra X1", {"precision=fp16", "batch_max=16"}};
}

std::string contents(const std::string& path) {
  return resemote_internal::read_file(path);
}

void overwrite(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

std::size_t files_in(const std::string& folder) {
  std::size_t count = 0;
  DIR* const listing = opendir(folder.c_str());
  CHECK(listing != nullptr);
  while (const dirent* const entry = readdir(listing)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(listing);
  return count;
}

template <typename Body>
std::string message_of(resemote_status status, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.status() == status);
    return error.what();
  }
  CHECK(false && "no error");
  return "";
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void keeps_what_it_is_given(const std::string& folder) {
  const EngineCache cache(folder);
  CHECK(!cache.find(a_key()).found);
  cache.keep(a_key(), kPlan.data(), kPlan.size());
  const CachedPlan cached = cache.find(a_key());
  CHECK(cached.found && cached.reason.empty());
  CHECK(cached.plan == kPlan);
  // Byte for byte, so that NVIDIA's tools read it; and nothing temporary is left.
  CHECK(contents(cache.plan_path(a_key())) == kPlan);
  CHECK(files_in(folder) == 2);
  struct stat found {};
  CHECK(stat(cache.plan_path(a_key()).c_str(), &found) == 0 && (found.st_mode & 0777) == 0644);
  // A later one takes its place.
  cache.keep(a_key(), "new", 3);
  CHECK(cache.find(a_key()).plan == "new");
  CHECK(files_in(folder) == 2);
}

void every_part_of_a_key_counts(const std::string& folder) {
  const EngineCache cache(folder);
  cache.keep(a_key(), kPlan.data(), kPlan.size());
  std::vector<EngineKey> others(7, a_key());
  others[0].onnx_sha256 = std::string(64, 'b');
  others[1].tensorrt_version = "8.2.2";
  others[2].cuda_version = "10.3";
  others[3].compute_capability = "7.2";
  others[4].device_name = "Xavier";
  others[5].flags[1] = "batch_max=8";
  others[6].flags.push_back("more");
  for (const EngineKey& other : others) {
    CHECK(!cache.find(other).found);
    CHECK(cache.plan_path(other) != cache.plan_path(a_key()));
    // Under the other's name, too: the name is not what is trusted.
    overwrite(cache.plan_path(other), kPlan);
    overwrite(cache.description_path(other), contents(cache.description_path(a_key())));
    const CachedPlan cached = cache.find(other);
    CHECK(!cached.found && cached.plan.empty());
    CHECK(holds(cached.reason, "built for something else"));
  }
}

void damage_is_noticed(const std::string& folder) {
  const EngineCache cache(folder);
  cache.keep(a_key(), kPlan.data(), kPlan.size());
  const std::string plan_path = cache.plan_path(a_key());
  const std::string description_path = cache.description_path(a_key());
  const std::string description = contents(description_path);

  std::string damaged = kPlan;
  damaged[7] = static_cast<char>(damaged[7] ^ 1);
  overwrite(plan_path, damaged);
  CHECK(!cache.find(a_key()).found && holds(cache.find(a_key()).reason, "damaged"));
  overwrite(plan_path, kPlan.substr(0, 9));
  CHECK(!cache.find(a_key()).found && holds(cache.find(a_key()).reason, "another size"));
  overwrite(plan_path, kPlan);
  for (const std::string& text : {description.substr(0, description.size() / 2), std::string(), std::string("[]"),
                                  std::string("{\"schema\": 2}"), std::string("{\"schema\": \"1\"}")}) {
    overwrite(description_path, text);
    CHECK(!cache.find(a_key()).found && holds(cache.find(a_key()).reason, "cannot be read"));
  }
  for (const char* other : {"\"schema\": 1", "\"schema\": 3"}) {
    std::string rewritten = description;
    rewritten.replace(rewritten.find("\"schema\": 2"), 11, other);
    overwrite(description_path, rewritten);
    CHECK(!cache.find(a_key()).found && holds(cache.find(a_key()).reason, "another version"));
  }
  overwrite(description_path, description);
  CHECK(cache.find(a_key()).found);
}

void no_folder_keeps_nothing() {
  const EngineCache cache("");
  cache.keep(a_key(), kPlan.data(), kPlan.size());
  CHECK(!cache.find(a_key()).found);
}

void folders_are_made_or_refused(const std::string& folder) {
  const EngineCache cache(folder + "/deep/er/");
  cache.keep(a_key(), kPlan.data(), kPlan.size());
  CHECK(cache.find(a_key()).found);
  overwrite(folder + "/file", "");
  for (const std::string& bad : {folder + "/file", folder + "/file/below"}) {
    const std::string message = message_of(RESEMOTE_STATUS_INVALID_ARGUMENT, [&] { EngineCache{bad}; });
    CHECK(holds(message, bad) && holds(message, "choose another"));
  }
}

void a_failed_write_leaves_what_was_there(const std::string& folder) {
  // The target is a folder, so that the rename at the end fails.
  const std::string target = folder + "/target";
  resemote_internal::create_folder(target);
  const std::string message = message_of(RESEMOTE_STATUS_BACKEND_FAILED, [&] {
    resemote_internal::write_whole_file(target, kPlan.data(), kPlan.size());
  });
  CHECK(holds(message, target) && holds(message, "cannot be written"));
  CHECK(files_in(folder) == 1);
  for (const std::string& unreadable : {folder + "/absent", target}) {
    const std::string reason =
        message_of(RESEMOTE_STATUS_ARTIFACT_INVALID, [&] { resemote_internal::read_file(unreadable); });
    CHECK(holds(reason, unreadable));
  }
}

void versions_are_read_and_compared() {
  using namespace resemote_internal::tensorrt;
  CHECK(tensorrt_version_text(8201) == "8.2.1");
  CHECK(tensorrt_version_text(8601) == "8.6.1");
  CHECK(tensorrt_version_text(100300) == "10.3.0");
  CHECK(tensorrt_version_text(101303) == "10.13.3");
  CHECK(cuda_version_text(10020) == "10.2");
  CHECK(cuda_version_text(11040) == "11.4");
  CHECK(cuda_version_text(13000) == "13.0");
  CHECK(same_version("8.5.2.2", "8.5.2"));
  CHECK(same_version("10.13.3.9", "10.13.3.9.post1"));
  CHECK(!same_version("10.13.3.9", "10.13.3.8"));
  CHECK(!same_version("10.1.3", "10.13"));
  CHECK(!same_version("8.5.2", "8.5.3"));
  CHECK(!same_version("8.5.2", "unknown"));
}

void engines_of_others_are_refused_with_both_numbers() {
  using resemote_internal::tensorrt::check_engine_fits;
  Passport passport;
  const auto check = [&] { check_engine_fits(passport, "model.engine", "10.3.0.30", "8.7"); };
  CHECK(holds(message_of(RESEMOTE_STATUS_ARTIFACT_MISMATCH, check), "does not say"));
  passport.engine.present = true;
  passport.engine.builder = "tensorrt";
  passport.engine.version = "8.6.2";
  passport.engine.compute_capabilities = {"8.6", "8.9"};
  std::string message = message_of(RESEMOTE_STATUS_ARTIFACT_MISMATCH, check);
  CHECK(holds(message, "tensorrt 8.6.2") && holds(message, "tensorrt 10.3.0.30"));
  passport.engine.version = "10.3.0";
  message = message_of(RESEMOTE_STATUS_ARTIFACT_MISMATCH, check);
  CHECK(holds(message, "8.6, 8.9") && holds(message, "8.7"));
  passport.engine.compute_capabilities.push_back("8.7");
  check();
  passport.engine.builder = "tensorrt-rtx";
  CHECK(holds(message_of(RESEMOTE_STATUS_ARTIFACT_MISMATCH, check), "tensorrt-rtx 10.3.0"));
}

}  // namespace

int main(int count, char** arguments) {
  CHECK(count == 2);
  const std::string folder = arguments[1];
  keeps_what_it_is_given(folder + "/keeps");
  every_part_of_a_key_counts(folder + "/parts");
  damage_is_noticed(folder + "/damage");
  no_folder_keeps_nothing();
  folders_are_made_or_refused(folder);
  resemote_internal::create_folder(folder + "/failed");
  a_failed_write_leaves_what_was_there(folder + "/failed");
  versions_are_read_and_compared();
  engines_of_others_are_refused_with_both_numbers();
  return 0;
}
