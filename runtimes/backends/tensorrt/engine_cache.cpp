#include "engine_cache.h"

#include <cctype>
#include <cstdint>
#include <exception>

#include <nlohmann/json.hpp>

#include "error.h"
#include "file.h"
#include "sha256.h"

namespace resemote_internal {
namespace tensorrt {
namespace {

using nlohmann::json;

constexpr int kSchema = 2;
constexpr std::size_t kOnnxDigits = 12;  // hex digits of the ONNX's digest in a file name, for people
constexpr std::size_t kKeyDigits = 16;   // hex digits of the key's digest, which keep file names apart

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
  // This notices a plan that was damaged, not one that was forged: who may write to the folder can write a digest too.
  if (description.at("plan_sha256").get<std::string>() != sha256(plan.data(), plan.size())) return "the plan is damaged";
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
  try {
    const std::string text = read_file(description_path(key));
    cached.plan = read_file(plan_path(key));
    cached.reason = refuse(json::parse(text), key, cached.plan);
  } catch (const Error& error) {
    cached.reason = error.what();
    return cached;
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
      {"plan_sha256", sha256(plan, size)},
  };
  // The plan is written first. A description without its plan, or with another one, is refused because of its digest.
  write_whole_file(plan_path(key), plan, size);
  const std::string text = description.dump(2) + "\n";
  write_whole_file(description_path(key), text.data(), text.size());
}

std::string EngineCache::plan_path(const EngineKey& key) const { return stem(key) + ".engine"; }

std::string EngineCache::description_path(const EngineKey& key) const { return stem(key) + ".json"; }

std::string EngineCache::stem(const EngineKey& key) const {
  const std::string whole = as_json(key).dump();
  return folder_ + "/" + file_name_part(key.onnx_sha256.substr(0, kOnnxDigits)) + "-trt" +
         file_name_part(key.tensorrt_version) + "-sm" + file_name_part(key.compute_capability) + "-" +
         sha256(whole.data(), whole.size()).substr(0, kKeyDigits);
}

}  // namespace tensorrt
}  // namespace resemote_internal
