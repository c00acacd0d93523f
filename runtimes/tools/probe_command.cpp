// `resemote probe`: the backends of the library, and which of them work here.
#include "command.h"
#include "errors.h"
#include "options.h"
#include "resemote/runtime.hpp"
#include "terminal.h"
#include "text.h"

namespace resemote_tools {
namespace {

const Usage& usage() {
  static const Usage usage = {
      "probe", "",
      "List the backends of the library, and say which of them work here.\n\n"
      "The table shows the version and the devices of each backend. If a backend does not work on this machine, it says "
      "why and what to do.",
      "resemote probe\nresemote probe --json",
      {{"library", 0, "PATH", nullptr,
        "The engine's shared library, or the folder that holds it; several places are separated by ':'. [default: "
        "RESEMOTE_<BACKEND>_LIBRARY, then where the loader looks]"}}};
  return usage;
}

}  // namespace

int probe_command(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  const std::string library = options.text("library");
  nlohmann::json found = nlohmann::json::object();
  std::vector<std::vector<std::string>> table = {{"backend", "version", "devices", "if not: why, and what to do"}};
  for (std::size_t i = 0; i < resemote_backend_count(); ++i) {
    const std::string name = resemote_backend_name(i);
    resemote_backend_info info = RESEMOTE_BACKEND_INFO_INIT;
    resemote::check(resemote_backend_probe(name.c_str(), library.empty() ? nullptr : library.c_str(), &info));
    found[name] = {{"available", info.available != 0},
                   {"version", info.version},
                   {"devices", words_of(info.devices)},
                   {"reason", info.reason}};
    table.push_back({name, info.version[0] == '\0' ? "-" : info.version, info.devices[0] == '\0' ? "-" : info.devices,
                     info.reason});
  }
  if (options.json()) {
    print_json(found);
  } else {
    print_table(table);
  }
  return EXIT_OK;
}

}  // namespace resemote_tools
