#include "engine_cache.h"

#include <cctype>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <exception>

#include <nlohmann/json.hpp>

#include "whole_file.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

using nlohmann::json;

constexpr int kSchema = 1;
constexpr std::size_t kDigestShown = 12;  // hex digits of the ONNX's digest in a file name, for people

// FNV-1a in 64 bits. It detects a file that was cut short or damaged. It does not protect against an attacker, who
// could write any engine with its digest into the folder.
std::string checksum(const void* bytes, std::size_t size) {
  constexpr std::uint64_t kOffset = 14695981039346656037ULL;
  constexpr std::uint64_t kPrime = 1099511628211ULL;
  std::uint64_t sum = kOffset;
  const unsigned char* byte = static_cast<const unsigned char*>(bytes);
  for (std::size_t index = 0; index < size; ++index) sum = (sum ^ byte[index]) * kPrime;
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, sum);
  return text;
}

json as_json(const EngineKey& key) {
  return json{
      {"onnx_sha256", key.onnx_sha256},
      {"tensorrt_version", key.tensorrt_version},
      {"cuda_version", key.cuda_version},
      {"compute_capability", key.compute_capability},
      {"device_name", key.device_name},
      {"flags", key.flags},
  };
}

// Makes a version or digest safe for a file name.
std::string file_name_part(const std::string& text) {
  std::string part = text;
  for (char& letter : part) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '.') letter = '_';
  }
  return part;
}

// Says why a description does not match this key and plan; empty if it does. Throws what the JSON library throws.
std::string refuse(const json& description, const EngineKey& key, const std::string& plan) {
  if (description.at("schema").get<int>() != kSchema) return "it was written by another version of this library";
  if (description.at("key") != as_json(key)) return "it was built for something else";
  if (description.at("plan_size_bytes").get<std::uint64_t>() != plan.size()) return "the plan has another size";
  if (description.at("plan_fnv1a64").get<std::string>() != checksum(plan.data(), plan.size())) {
    return "the plan is damaged";
  }
  return "";
}

}  // namespace

EngineCache::EngineCache(const std::string& folder) : folder_(folder) {
  if (!folder_.empty()) create_folder(folder_);
}

CachedPlan EngineCache::find(const EngineKey& key) const {
  CachedPlan cached;
  if (folder_.empty()) {
    cached.reason = "no folder to cache engines in was given";
    return cached;
  }
  std::string text;
  if (!read_whole_file(description_path(key), text, cached.reason)) return cached;
  if (!read_whole_file(plan_path(key), cached.plan, cached.reason)) return cached;
  try {
    cached.reason = refuse(json::parse(text), key, cached.plan);
  } catch (const std::exception& error) {  // exceptions of the JSON library in any of its versions
    cached.reason = std::string("its description cannot be read: ") + error.what();
  }
  cached.found = cached.reason.empty();
  if (!cached.found) {
    cached.reason = description_path(key) + ": " + cached.reason;
    cached.plan.clear();
  }
  return cached;
}

void EngineCache::keep(const EngineKey& key, const void* plan, std::size_t size) const {
  if (folder_.empty()) return;
  const json description = {
      {"schema", kSchema},
      {"key", as_json(key)},
      {"plan_size_bytes", size},
      {"plan_fnv1a64", checksum(plan, size)},
  };
  // The plan is written first. A description without its plan, or with another one, is refused because of its checksum.
  write_whole_file(plan_path(key), plan, size);
  const std::string text = description.dump(2) + "\n";
  write_whole_file(description_path(key), text.data(), text.size());
}

std::string EngineCache::plan_path(const EngineKey& key) const { return stem(key) + ".engine"; }

std::string EngineCache::description_path(const EngineKey& key) const { return stem(key) + ".json"; }

std::string EngineCache::stem(const EngineKey& key) const {
  const std::string whole = as_json(key).dump();
  return folder_ + "/" + file_name_part(key.onnx_sha256.substr(0, kDigestShown)) + "-trt" +
         file_name_part(key.tensorrt_version) + "-sm" + file_name_part(key.compute_capability) + "-" +
         checksum(whole.data(), whole.size());
}

}  // namespace tensorrt
}  // namespace resemote_internal
