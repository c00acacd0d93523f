// `resemote inspect`: what an artifact is, and where it would run here.
#include "command.h"
#include "errors.h"
#include "options.h"
#include "passport.h"
#include "session_choice.h"
#include "terminal.h"
#include "text.h"

namespace resemote_tools {
namespace {

const Usage& usage() {
  static const Usage usage = {
      "inspect", "ARTIFACT",
      "Show the passport of ARTIFACT, and where it would run on this machine.\n\n"
      "The passport is the description that an export writes: the labels, the input and output, the files with their "
      "hashes, and the origin of the weights. Every file is checked against it first. No engine is started.",
      "resemote inspect artifacts/resemotenet-xs-fer2013-onnx-fp32",
      with_session_options({})};
  return usage;
}

// Text of plain values; lists are joined by commas.
std::string text_of(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "not stated";
  if (!value.is_array()) return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::vector<std::string> texts;
  for (const nlohmann::json& one : value) texts.push_back(text_of(one));
  return joined(texts);
}

std::string text_of(const nlohmann::json& facts, const char* name) {
  return text_of(facts.value(name, nlohmann::json()));
}

std::string tensors(const nlohmann::json& specs) {
  std::vector<std::string> texts;
  for (const nlohmann::json& spec : specs) {
    texts.push_back(text_of(spec, "name") + " " + text_of(spec, "dtype") + " (" + text_of(spec, "shape") + ")");
  }
  return joined(texts);
}

std::string batches(const nlohmann::json& batch) {
  const nlohmann::json most = batch.value("max", nlohmann::json());
  return text_of(batch, "min") + " to " + (most.is_null() ? "any" : text_of(most));
}

void print_facts(const nlohmann::json& passport, const nlohmann::json& here) {
  std::vector<std::vector<std::string>> rows = {
      {"name", text_of(passport, "name")},
      {"created", text_of(passport, "created_utc")},
      {"target", text_of(passport, "target") + ", " + text_of(passport, "precision")},
      {passport.contains("family") ? "detector" : "labels",
       passport.contains("family") ? text_of(passport, "family") : text_of(passport, "labels")},
      {"inputs", tensors(passport.value("inputs", nlohmann::json::array()))},
      {"outputs", tensors(passport.value("outputs", nlohmann::json::array()))},
      {"batch", batches(passport.value("batch", nlohmann::json::object()))},
  };
  for (const nlohmann::json& file : passport.at("files")) {
    rows.push_back({"file", text_of(file, "path") + "  " + text_of(file, "role") + ", " + text_of(file, "format") + ", " +
                                text_of(file, "size_bytes") + " bytes, sha256 " + text_of(file, "sha256").substr(0, 12) +
                                "..."});
  }
  if (passport.contains("source")) {  // of a detector's weights
    const nlohmann::json& source = passport.at("source");
    rows.push_back({"weights", text_of(source, "file") + ", licence " + text_of(source, "licence")});
  } else {
    const nlohmann::json lineage = passport.value("lineage", nlohmann::json::object());
    rows.push_back({"checkpoint", text_of(lineage, "checkpoint") + ", width " + text_of(lineage, "width") + ", " +
                                      text_of(lineage, "parameters") + " parameters"});
  }
  const nlohmann::json verified = passport.value("verification", nlohmann::json());
  if (verified.is_object()) {
    rows.push_back({"verified", text_of(verified, "status") + ": " + text_of(verified, "runtime") + " " +
                                    text_of(verified, "runtime_version") + " on " + text_of(verified, "device")});
  }
  const std::string skipped = text_of(here, "skipped");
  if (here.at("runs").get<bool>()) {
    rows.push_back({"runs here", text_of(here, "file") + " in " + text_of(here, "backend") + " on " +
                                     text_of(here, "device")});
    if (!skipped.empty()) rows.push_back({"asked before", skipped});
  } else {
    rows.push_back({"runs here", "no: " + text_of(here, "reason")});
  }
  print_table(rows);
}

// Where the artifact would run. Throws Failure if something is wrong with the artifact itself.
nlohmann::json place_here(const std::string& artifact, const resemote_session_options& options) {
  resemote_backend_choice found = RESEMOTE_BACKEND_CHOICE_INIT;
  const resemote_status status = resemote_backend_choose(artifact.c_str(), &options, &found);
  if (status == RESEMOTE_STATUS_BACKEND_UNAVAILABLE || status == RESEMOTE_STATUS_DEVICE_UNAVAILABLE) {
    return {{"runs", false}, {"reason", resemote_last_error()}, {"skipped", ""}};
  }
  resemote::check(status);
  return {{"runs", true},           {"backend", found.backend}, {"device", found.device},
          {"file", found.file},     {"skipped", found.skipped}};
}

}  // namespace

int inspect_command(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  const SessionChoice choice(options);
  const nlohmann::json here = place_here(options.argument(0), choice.options());
  Passport passport = read_passport(options.argument(0));
  check_files(passport);
  if (options.json()) {
    if (!passport.facts.contains("kind")) passport.facts["kind"] = "classifier";  // the first kind had no such key
    passport.facts["here"] = here;
    print_json(passport.facts);
  } else {
    print_facts(passport.facts, here);
  }
  return EXIT_OK;
}

}  // namespace resemote_tools
