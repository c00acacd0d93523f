// `resemote camera`: runs resemote-camera, which lies beside this program. It is a program of its own because OpenCV brings
// many libraries along, and the other commands must start at once, also where these are not installed.
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>

#include "command.h"
#include "errors.h"

namespace resemote_tools {
namespace {

// Folder of the program that runs, with its last slash.
std::string own_folder() {
  char path[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || length == static_cast<ssize_t>(sizeof path)) {
    throw ToolError("the folder of this program cannot be found", "run resemote-camera itself");
  }
  const std::string whole(path, static_cast<std::size_t>(length));
  return whole.substr(0, whole.rfind('/') + 1);
}

}  // namespace

int camera_command(int, char** argv) {
  const std::string path = own_folder() + "resemote-camera";
  ::execv(path.c_str(), argv);
  const int error = errno;
  if (error == ENOENT) {
    throw ToolError("there is no " + path + ": this resemote was built without OpenCV, or copied without it",
                    "build it where OpenCV 4.1 or newer is found (Debian and Ubuntu: libopencv-dev)");
  }
  throw ToolError(path + ": " + system_message(error));
}

}  // namespace resemote_tools
