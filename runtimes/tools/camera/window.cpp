#include "window.h"

#include <cstdlib>

#include "../errors.h"

#ifdef RESEMOTE_WITH_WINDOWS
#include <opencv2/highgui.hpp>
#endif

namespace resemote_camera {

using resemote_tools::ToolError;

#ifdef RESEMOTE_WITH_WINDOWS

namespace {

constexpr char TITLE[] = "resemote camera";
constexpr int ESCAPE = 27;

bool given(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

void open_window() {
  // Asked here, because the library behind the window ends the program if there is no screen.
  if (!given("DISPLAY") && !given("WAYLAND_DISPLAY")) {
    throw ToolError("no window can be opened: there is no screen (DISPLAY and WAYLAND_DISPLAY are empty)",
                    "leave --window out; FILE.avi keeps the pictures");
  }
  try {
    cv::namedWindow(TITLE, cv::WINDOW_NORMAL);
  } catch (const cv::Exception& error) {
    throw ToolError("no window can be opened (" + error.err + ")", "leave --window out");
  }
}

bool show_in_window(const cv::Mat& picture) {
  cv::imshow(TITLE, picture);
  const int key = cv::waitKey(1);
  return key != 'q' && key != ESCAPE && cv::getWindowProperty(TITLE, cv::WND_PROP_VISIBLE) >= 1.0;
}

#else

void open_window() {
  throw ToolError("this program was built without windows", "leave --window out; FILE.avi keeps the pictures");
}

bool show_in_window(const cv::Mat&) { return false; }

#endif

}  // namespace resemote_camera
