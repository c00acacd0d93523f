// Window: annotated pictures on the screen, where OpenCV has windows.
#pragma once

#include <opencv2/core/mat.hpp>

namespace resemote_camera {

// Throws ToolError if no window can be opened.
void open_window();

// Shows a picture. Returns false if the user wants to stop: q, Escape, or a closed window.
bool show_in_window(const cv::Mat& picture);

}  // namespace resemote_camera
