// resemote-camera: follows the faces that a source shows, and says what they express. `resemote camera` runs it.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <opencv2/core/utils/logger.hpp>
#include <string>
#include <utility>
#include <vector>

#include "../errors.h"
#include "../options.h"
#include "../session_choice.h"
#include "../signals.h"
#include "../terminal.h"
#include "annotation.h"
#include "decider.h"
#include "judge.h"
#include "reader.h"
#include "sink.h"
#include "summary.h"
#include "window.h"

namespace resemote_camera {
namespace {

using namespace resemote_tools;

constexpr double TAKE_S = 0.1;

const Usage& usage() {
  static const Usage usage = {
      "camera", "SOURCE [SINK...]",
      "Follow the faces that SOURCE shows, and say what they express.\n\n"
      "SOURCE is a camera (0, v4l2:///dev/video0, csi://0 on a Jetson), a stream (rtsp://, http://), a pipeline of "
      "GStreamer that ends in appsink (gst:...) or a film. A camera or stream is never behind: late frames are dropped, "
      "and counted. If it fails, it is opened again. A film gives every frame.\n\n"
      "SINK is jsonl:- or jsonl:FILE, one line of JSON a frame as 'resemote-edge camera' writes it, or FILE.avi, a film "
      "with boxes and labels. Any number of them work at once, and a slow one delays nothing. Without one, it is "
      "jsonl:-. No picture is stored or sent unless a sink does it.\n\n"
      "Control-C ends the run with a summary. The exit code is 4 if the source failed and was not back by then.",
      "resemote camera 0 --artifact resemotenet-xs --detector yunet-640x384\n"
      "resemote camera rtsp://camera.local/stream faces.avi jsonl:faces.jsonl --artifact xs --detector yunet",
      with_session_options({
          {"artifact", 0, "FOLDER", nullptr, "Artifact of the classifier; needed."},
          {"detector", 0, "FOLDER", nullptr, "Artifact of the detector, or none: the frame is the face; needed."},
          {"detector-backend", 0, "NAME", nullptr, "Engine of the detector. [default: that of the classifier]"},
          {"min-face-score", 0, "SHARE", nullptr, "Lowest detection score of a face. [default: the detector's own]"},
          {"detect-every", 0, "N", "auto", "Detect in each n-th frame, or auto for as often as keeps up."},
          {"patience", 0, "SECONDS", "0.7", "Time that a face may be unseen."},
          {"smooth", 0, "SECONDS", "0.2", "Time constant of the smoothing."},
          {"hold", 0, "SECONDS", "0.2", "Time that a new label must lead."},
          {"min-score", 0, "SHARE", "0.4", "Lowest probability of an expression that is named; below it, it is unsure."},
          {"judge-all", 0, nullptr, nullptr, "Judge faces that are small, dark, blurred or turned away, too."},
          {"frames", 0, "N", nullptr, "End after this many decisions. [default: at the end of the source]"},
          {"every-frame", 0, nullptr, nullptr, "Decide every frame of a live source, however late."},
          {"max-fps", 0, "RATE", nullptr, "Decide at most this many frames a second."},
          {"fps", 0, "RATE", nullptr, "Frame rate to ask a camera for."},
          {"size", 0, "WxH", nullptr, "Frame size to ask a camera for, such as 1280x720."},
          {"stall", 0, "SECONDS", "5", "Silence after which a source is opened again."},
          {"give-up", 0, "SECONDS", nullptr, "Silence after which the run ends with code 4. [default: never]"},
          {"no-reconnect", 0, nullptr, nullptr, "End the run if the source fails."},
          {"window", 0, nullptr, nullptr, "Show the pictures in a window; q closes it."},
          {"force", 0, nullptr, nullptr, "Replace files of sinks that exist."},
          {"append", 0, nullptr, nullptr, "Append to JSON lines that exist."},
      })};
  return usage;
}

std::string needed(const Options& options, const std::string& name) {
  if (!options.has(name)) throw UsageError("--" + name + " is missing; pass the folder of an artifact");
  return options.text(name);
}

double number_or(const Options& options, const std::string& name, double least, double most, double otherwise) {
  return options.has(name) ? options.real(name, least, most) : otherwise;
}

SourceOptions source_options(const Options& options) {
  SourceOptions chosen;
  chosen.fps = number_or(options, "fps", 0.01, 1000.0, 0.0);
  chosen.stall_s = options.real("stall", 0.1, 3600.0);
  if (options.has("size")) {
    const std::string text = options.text("size");
    char end = '\0';
    if (std::sscanf(text.c_str(), "%5dx%5d%c", &chosen.width, &chosen.height, &end) != 2 || chosen.width < 8 ||
        chosen.height < 8 || chosen.width > 16384 || chosen.height > 16384) {
      throw UsageError("--size: '" + text + "' is no size such as 1280x720");
    }
  }
  return chosen;
}

ReaderOptions reader_options(const Options& options) {
  ReaderOptions chosen;
  chosen.max_fps = number_or(options, "max-fps", 0.01, 1000.0, 0.0);
  chosen.reconnect = !options.has("no-reconnect");
  chosen.give_up_s = number_or(options, "give-up", 0.1, 1e6, 0.0);
  chosen.every_frame = options.has("every-frame");
  return chosen;
}

DeciderOptions decider_options(const Options& options) {
  DeciderOptions chosen;
  if (options.text("detect-every") != "auto") {
    chosen.detect_every = static_cast<int>(options.integer("detect-every", 1, 1000));
  }
  chosen.tracker.patience_s = options.real("patience", 0.0, 3600.0);
  chosen.smoothing.time_constant_s = options.real("smooth", 0.0, 3600.0);
  chosen.smoothing.hold_s = options.real("hold", 0.0, 3600.0);
  chosen.smoothing.min_score = options.real("min-score", 0.0, 1.0);
  chosen.judge_all = options.has("judge-all");
  chosen.max_fps = number_or(options, "max-fps", 0.01, 1000.0, 0.0);
  return chosen;
}

// The whole command line, judged before anything is opened.
struct CameraOptions {
  std::string address;
  std::vector<std::string> sinks;  // addresses
  Existing existing = Existing::REFUSE;
  std::string artifact;
  std::string detector;
  std::string detector_backend;  // "" for that of the classifier
  double min_face_score = -1.0;  // negative for the detector's own
  SourceOptions source;
  ReaderOptions reader;
  DeciderOptions decider;
  long frames = 0;  // decisions after which the run ends; 0 for none
  bool windowed = false;
  bool json = false;
};

CameraOptions camera_options(const Options& options) {
  CameraOptions chosen;
  chosen.address = options.argument(0);
  chosen.artifact = needed(options, "artifact");
  chosen.detector = needed(options, "detector");
  chosen.detector_backend = options.text("detector-backend");
  chosen.min_face_score = number_or(options, "min-face-score", 0.0, 1.0, -1.0);
  chosen.source = source_options(options);
  chosen.reader = reader_options(options);
  chosen.decider = decider_options(options);
  if (options.has("frames")) chosen.frames = options.integer("frames", 1, 1000000000);
  chosen.windowed = options.has("window");
  chosen.json = options.json();
  chosen.sinks.assign(options.arguments().begin() + 1, options.arguments().end());
  if (chosen.sinks.empty() && !chosen.json && !chosen.windowed) chosen.sinks.push_back("jsonl:-");
  if (options.has("force") && options.has("append")) {
    throw ToolError("--force replaces a file and --append keeps it", "pass one of them");
  }
  if (options.has("force")) chosen.existing = Existing::REPLACE;
  if (options.has("append")) chosen.existing = Existing::APPEND;
  for (const std::string& sink : chosen.sinks) {
    if (chosen.json && sink == "jsonl:-") {
      throw ToolError("--json prints the summary where a sink prints its lines", "leave one of them out");
    }
  }
  return chosen;
}

using OpenedSinks = std::vector<std::pair<std::string, std::unique_ptr<Sink>>>;

OpenedSinks open_sinks(const CameraOptions& options) {
  OpenedSinks opened;
  for (const std::string& address : options.sinks) opened.emplace_back(address, open_sink(address, options.existing));
  return opened;
}

// OpenCV's own messages and FFmpeg's would end up between ours, passwords of streams included. What the user set in the
// environment stands. FFmpeg looks at a stream for one second, not for five.
void keep_opencv_quiet() {
  setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);
  setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|analyzeduration;1000000", 0);
  if (std::getenv("OPENCV_LOG_LEVEL") == nullptr) {
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  }
}

// One run of the command.
class Run {
 public:
  // Opens the sinks first and the engines last: a run without a place for its results ends before it begins.
  Run(const CameraOptions& options, const SessionChoice& choice)
      : options_(options),
        reader_(options.address, options.source, options.reader, [](const std::string& text) { print_error(text); }),
        opened_(open_sinks(options)),
        detector_(open_detector(options.detector, detector_session(choice), options.min_face_score)),
        judge_(options.artifact, choice.options()),
        decider_(*detector_, judge_, reader_.name(), options.decider) {}

  int run() {
    const StopRequest stop;
    std::exception_ptr failure;
    try {
      if (options_.windowed) open_window();
      if (reader_.start([&stop] { return stop.signal() == 0; })) {
        begin_sinks();
        if (!follow(stop)) failure = reader_.failure();
      }
    } catch (...) {
      failure = std::current_exception();
    }
    return finish(failure);
  }

 private:
  resemote_session_options detector_session(const SessionChoice& choice) const {
    resemote_session_options session = choice.options();
    if (!options_.detector_backend.empty()) session.backend = options_.detector_backend.c_str();
    return session;
  }

  void begin_sinks() {
    for (auto& sink : opened_) {
      const bool pictures = sink.second->wants_pictures();
      takes_pictures_ = takes_pictures_ || pictures;
      takes_lines_ = takes_lines_ || !pictures;
      sink.second->begin(reader_.rate());
      sinks_.emplace_back(sink.first, std::move(sink.second), !reader_.live());
    }
  }

  // Decides frame after frame until the source ends or fails for good. Returns whether somebody stopped it before.
  bool follow(const StopRequest& stop) {
    Captured captured;
    while (stop.signal() == 0) {
      if (!reader_.take(captured, TAKE_S)) {
        if (reader_.ended()) return false;
        continue;
      }
      const FrameResult result = decider_.decide(captured, reader_.live(), reader_.dropped());
      tally_.add(result.decision_age_ms);
      if (!pass_on(captured, result, stop) || tally_.decided() == options_.frames) return true;
    }
    return true;
  }

  // Gives a result to all who want it. Returns false if nobody wants any more.
  bool pass_on(const Captured& captured, const FrameResult& result, const StopRequest& stop) {
    SinkItem item;
    item.seconds = result.seconds;
    if (takes_lines_) item.line = json_line(result, judge_.labels());
    if (takes_pictures_ || options_.windowed) item.picture = annotated(captured, result.faces);
    bool wanted = sinks_.empty();
    for (SinkWorker& sink : sinks_) {
      sink.put(item, [&stop] { return stop.signal() == 0; });
      wanted = wanted || !sink.ended();
    }
    return (!options_.windowed || show_in_window(item.picture)) && wanted;
  }

  // Puts everything in order, and says what became of the frames.
  int finish(std::exception_ptr failure) {
    const bool lost = reader_.lost();
    bool hangs = !reader_.close();
    for (SinkWorker& sink : sinks_) hangs = !sink.close() || hangs;
    int code = EXIT_OK;
    try {
      code = report(failure, lost);
      flush_output();
    } catch (...) {
      code = report_exception("camera");
    }
    if (hangs) {
      // A thread that hangs in a driver cannot be ended, and nothing that it uses may be taken apart.
      std::fflush(nullptr);
      std::_Exit(code);
    }
    return code;
  }

  int report(std::exception_ptr failure, bool lost) {
    bool failed = false;
    if (failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const SourceError& error) {
        if (tally_.decided() == 0) throw;
        print_error(error.what());
        failed = true;  // the summary says that the source is lost
      }
    }
    Summary summary;
    summary.source = reader_.name();
    summary.session = decider_.session();
    summary.tally = tally_;
    summary.captured = reader_.captured();
    summary.dropped = reader_.dropped();
    summary.restarts = reader_.restarts();
    summary.lost = lost || failed;
    summary.faces = decider_.faces();
    summary.detect_every = decider_.detect_every();
    summary.live = reader_.live();
    if (options_.json) {
      print_summary_json(summary, sinks_);
    } else {
      tell_summary(summary, sinks_);
    }
    return summary.lost ? EXIT_SOURCE_LOST : EXIT_OK;
  }

  const CameraOptions& options_;
  FrameReader reader_;
  OpenedSinks opened_;  // not begun yet
  std::unique_ptr<Detector> detector_;
  Judge judge_;
  Decider decider_;
  Tally tally_;
  std::vector<SinkWorker> sinks_;
  bool takes_lines_ = false;
  bool takes_pictures_ = false;
};

int camera(int argc, char** argv) {
  const Options options(usage(), argc, argv);
  if (options.wants_help()) return EXIT_OK;
  const CameraOptions chosen = camera_options(options);
  const SessionChoice choice(options);
  keep_opencv_quiet();
  return Run(chosen, choice).run();
}

}  // namespace
}  // namespace resemote_camera

int main(int argc, char** argv) {
  return resemote_tools::run_main("camera", [&] { return resemote_camera::camera(argc, argv); });
}
