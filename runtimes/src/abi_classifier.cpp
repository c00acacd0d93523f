// The C functions of frames and classifiers.
#include "abi.h"

namespace resemote_internal {
namespace {

constexpr int kMostFaces = 4096;
constexpr int kMostQueued = 4096;
constexpr int kMostCropSide = 4096;  // of what frame_crop makes, pixels

// A classifier, and the handle through which callers use its session.
class Owner {
 public:
  explicit Owner(std::unique_ptr<Classifier> made)
      : classifier(std::move(made)), session_handle(sessions().insert(classifier->session())) {}
  ~Owner() { guarded([this] { sessions().remove(session_handle); }); }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  const std::unique_ptr<Classifier> classifier;
  void* const session_handle;
};

HandleTable<Owner>& classifiers() {
  static HandleTable<Owner>* const table = made_table<Owner, classifiers>(2, "classifier");
  return *table;
}

int in_range(const char* name, int value, int least, int most) {
  if (value < least || value > most) {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::string(name) + " must be from " + std::to_string(least) +
                                                      " to " + std::to_string(most) + ", got " +
                                                      std::to_string(value));
  }
  return value;
}

Edges edges_of(resemote_edges edges) {
  if (edges == RESEMOTE_EDGES_CUT) return Edges::kCut;
  if (edges == RESEMOTE_EDGES_REPLICATED) return Edges::kReplicated;
  throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT,
              "edges is " + std::to_string(edges) + "; set one of RESEMOTE_EDGES_*, 0 to 1");
}

// Spec of a preprocessor that gives the pixels themselves.
PreprocessSpec pixel_spec(resemote_pixel_format format, std::int32_t width, std::int32_t height) {
  PreprocessSpec spec;
  spec.width = in_range("width", width, 1, kMostCropSide);
  spec.height = in_range("height", height, 1, kMostCropSide);
  spec.channels = 1;
  spec.std = {1.0, 1.0, 1.0};
  if (format == RESEMOTE_PIXEL_GRAY8) {
    spec.input = InputFormat::kGrayU8;
  } else if (format == RESEMOTE_PIXEL_RGB24) {
    spec.input = InputFormat::kRgbU8;
  } else if (format == RESEMOTE_PIXEL_BGR24) {
    spec.input = InputFormat::kBgrU8;
  } else {
    throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, "crops are made in gray, RGB24 or BGR24, not in format " +
                                                      std::to_string(format));
  }
  return spec;
}

}  // namespace
}  // namespace resemote_internal

using namespace resemote_internal;

resemote_status resemote_frame_init(resemote_frame* frame) {
  return guarded([&] {
    initialize(frame, "resemote_frame", resemote_frame RESEMOTE_FRAME_INIT, kFirstFrame);
  });
}

resemote_status resemote_frame_crop(const resemote_frame* frame, const resemote_box* boxes, size_t box_count,
                                    resemote_edges edges, resemote_pixel_format format, int32_t width, int32_t height,
                                    uint8_t* pixels, size_t pixels_size_bytes) {
  return guarded([&] {
    const resemote_frame& picture = needed(frame, "resemote_frame");
    Preprocessor preprocessor(pixel_spec(format, width, height), edges_of(edges));
    const std::size_t wanted = preprocessor.feed_bytes() * box_count;
    if (box_count > kMostFaces || pixels_size_bytes != wanted) {
      throw Error(RESEMOTE_STATUS_INVALID_ARGUMENT, std::to_string(box_count) + " crops have " +
                                                        std::to_string(wanted) + " bytes, room for " +
                                                        std::to_string(pixels_size_bytes) + " was given; " +
                                                        std::to_string(kMostFaces) + " crops are made at most");
    }
    preprocessor.run(picture, boxes, box_count, pixels);
  });
}

resemote_status resemote_classifier_options_init(resemote_classifier_options* options) {
  return guarded([&] {
    initialize(options, "resemote_classifier_options", resemote_classifier_options RESEMOTE_CLASSIFIER_OPTIONS_INIT,
               kFirstClassifierOptions);
  });
}

resemote_status resemote_classifier_create(const char* artifact, const resemote_session_options* session,
                                           const resemote_classifier_options* options,
                                           resemote_classifier** classifier) {
  return guarded([&] {
    needed(classifier, "where the classifier goes") = nullptr;
    resemote_classifier_options chosen = RESEMOTE_CLASSIFIER_OPTIONS_INIT;
    if (options != nullptr) chosen = taken(options, "resemote_classifier_options", chosen);
    const int faces = in_range("max_faces", chosen.max_faces, 1, kMostFaces);
    const int depth = in_range("queue_depth", chosen.queue_depth, 0, kMostQueued);
    const Edges edges = edges_of(chosen.edges);
    const char* const path = &needed(artifact, "the artifact's path");
    auto opened = std::make_shared<Session>(path, session_options(session));
    if (opened->passport().kind != Kind::kClassifier) {
      throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, std::string(path) +
                                                        ": a detector of faces, not a classifier; open it with "
                                                        "resemote_session_create, or pass a classifier");
    }
    opened->set_owned_by_classifier();
    auto owner =
        std::make_shared<Owner>(std::unique_ptr<Classifier>(new Classifier(std::move(opened), faces, depth, edges)));
    *classifier = static_cast<resemote_classifier*>(classifiers().insert(std::move(owner)));
  });
}

resemote_status resemote_classifier_destroy(resemote_classifier* classifier) {
  return guarded([&] {
    if (classifier != nullptr) classifiers().remove(classifier)->classifier->close();
  });
}

resemote_status resemote_classifier_get_session(resemote_classifier* classifier, resemote_session** session) {
  return guarded([&] {
    needed(session, "where the session goes") = nullptr;
    *session = static_cast<resemote_session*>(classifiers().find(classifier)->session_handle);
  });
}

resemote_status resemote_classifier_classify(resemote_classifier* classifier, const resemote_frame* frame,
                                             const resemote_box* boxes, size_t box_count, resemote_decision* decisions,
                                             float* probabilities) {
  return guarded([&] {
    const resemote_frame& picture = needed(frame, "resemote_frame");
    classifiers().find(classifier)->classifier->classify(picture, boxes, box_count, decisions, probabilities);
  });
}

resemote_status resemote_classifier_preprocess(resemote_classifier* classifier, const resemote_frame* frame,
                                               const resemote_box* boxes, size_t box_count, void* feed,
                                               size_t feed_size_bytes) {
  return guarded([&] {
    const resemote_frame& picture = needed(frame, "resemote_frame");
    classifiers().find(classifier)->classifier->preprocess(picture, boxes, box_count, feed, feed_size_bytes);
  });
}

resemote_status resemote_classifier_submit(resemote_classifier* classifier, const resemote_frame* frame,
                                           const resemote_box* boxes, size_t box_count, uint64_t tag) {
  return guarded([&] {
    const resemote_frame& picture = needed(frame, "resemote_frame");
    classifiers().find(classifier)->classifier->submit(picture, boxes, box_count, tag);
  });
}

resemote_status resemote_classifier_poll(resemote_classifier* classifier, int32_t timeout_ms, resemote_result* result,
                                         resemote_decision* decisions, float* probabilities) {
  bool found = false;
  const resemote_status status = guarded([&] {
    Filled<resemote_result> to(result, "resemote_result");
    found = classifiers().find(classifier)->classifier->poll(timeout_ms, *to, decisions, probabilities);
    if (found) to.write();
  });
  return status == RESEMOTE_STATUS_OK && !found ? static_cast<resemote_status>(RESEMOTE_STATUS_NOT_READY) : status;
}
