/* Frames and classifiers: a frame with boxes in, decisions out. See runtime.h for what holds for all functions. */
#ifndef RESEMOTE_CLASSIFIER_H
#define RESEMOTE_CLASSIFIER_H

#include "resemote/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct resemote_classifier resemote_classifier;

typedef int32_t resemote_pixel_format;
enum {
  RESEMOTE_PIXEL_GRAY8 = 0,
  RESEMOTE_PIXEL_RGB24 = 1,
  RESEMOTE_PIXEL_BGR24 = 2,
  RESEMOTE_PIXEL_NV12 = 3, /* width and height must be even */
  RESEMOTE_PIXEL_YUYV = 4  /* width must be even */
};

/* A picture in the caller's memory. */
typedef struct resemote_frame {
  size_t struct_size; /* set by RESEMOTE_FRAME_INIT */
  resemote_pixel_format format;
  int32_t width;  /* pixels */
  int32_t height; /* pixels */
  const uint8_t* data;
  int64_t stride_bytes;    /* from one row to the next; 0: no gap between rows */
  const uint8_t* uv;       /* NV12: the plane of U and V; NULL: it follows the last row of the first plane */
  int64_t uv_stride_bytes; /* 0: the same as the first plane's */
  int32_t full_range;      /* NV12 and YUYV. 1: luma from 0 to 255 (JPEG); 0: from 16 to 235 (video) */
  uint64_t timestamp_ns;   /* when it was captured, on a clock of the caller's; resemote_result brings it back */
} resemote_frame;

#define RESEMOTE_FRAME_INIT {sizeof(resemote_frame), RESEMOTE_PIXEL_GRAY8, 0, 0, NULL, 0, NULL, 0, 0, 0}

/* Fills in the defaults of RESEMOTE_FRAME_INIT.
   frame: memory of any contents. */
RESEMOTE_API resemote_status resemote_frame_init(resemote_frame* frame);

/* A box, in pixels. It may reach over the frame's border; resemote_edges says what becomes of it there. At least 8 x 8
   pixels must be inside. */
typedef struct resemote_box {
  int32_t x;
  int32_t y;
  int32_t width;
  int32_t height;
} resemote_box;

typedef int32_t resemote_edges;
enum {
  RESEMOTE_EDGES_CUT = 0,       /* the part of a box within the frame is shown, so that faces at the border are stretched */
  RESEMOTE_EDGES_REPLICATED = 1 /* beyond the border, its pixels are repeated; a box has sides of 32768 at most */
};

/* Cuts boxes out of a frame and resizes them, as classifiers do.
   frame: the picture.
   boxes: the boxes.
   box_count: number of boxes; zero is accepted.
   edges: what becomes of boxes that reach over the border.
   format: RESEMOTE_PIXEL_GRAY8, RGB24 or BGR24.
   width, height: of each crop, pixels, 1 to 4096.
   pixels: gets the crops, one after the other and without gaps.
   pixels_size_bytes: size of that memory, exactly what the crops need. */
RESEMOTE_API resemote_status resemote_frame_crop(const resemote_frame* frame, const resemote_box* boxes,
                                                 size_t box_count, resemote_edges edges, resemote_pixel_format format,
                                                 int32_t width, int32_t height, uint8_t* pixels,
                                                 size_t pixels_size_bytes);

typedef struct resemote_decision {
  int32_t label; /* index of the label */
  float score;   /* its probability */
} resemote_decision;

typedef struct resemote_classifier_options {
  size_t struct_size;  /* set by RESEMOTE_CLASSIFIER_OPTIONS_INIT */
  int32_t max_faces;   /* most boxes in one call, 1 to 4096; default 16 */
  int32_t queue_depth; /* most submissions, and most results, that may wait, 1 to 4096; default 2. 0: no queue, and so no
                          resemote_classifier_submit */
  resemote_edges edges; /* what becomes of boxes that reach over the border; default RESEMOTE_EDGES_CUT */
} resemote_classifier_options;

#define RESEMOTE_CLASSIFIER_OPTIONS_INIT {sizeof(resemote_classifier_options), 16, 2, RESEMOTE_EDGES_CUT}

/* Fills in the defaults of RESEMOTE_CLASSIFIER_OPTIONS_INIT.
   options: memory of any contents. */
RESEMOTE_API resemote_status resemote_classifier_options_init(resemote_classifier_options* options);

/* Opens an artifact as resemote_session_create does. All memory for frames and the queue is allocated here: for each face
   of max_faces, 2 * queue_depth + 3 inputs of the network. If that is 512 MiB or more, it is refused.
   artifact: path of the folder, or of its passport.json.
   session: options of the session; NULL: the defaults.
   options: NULL: the defaults.
   classifier: gets the handle; on failure, NULL. */
RESEMOTE_API resemote_status resemote_classifier_create(const char* artifact, const resemote_session_options* session,
                                                        const resemote_classifier_options* options,
                                                        resemote_classifier** classifier);
/* Ends the classifier's thread after the inference in progress, and releases the classifier and its session. Threads
   that wait in resemote_classifier_poll get RESEMOTE_STATUS_CLOSED, as does whoever destroys it twice.
   classifier: NULL is accepted. */
RESEMOTE_API resemote_status resemote_classifier_destroy(resemote_classifier* classifier);

/* Session of the classifier, for labels, information and the self-test.
   classifier: handle.
   session: gets the session's handle. The classifier owns it; do not destroy it. */
RESEMOTE_API resemote_status resemote_classifier_get_session(resemote_classifier* classifier,
                                                             resemote_session** session);

/* Classifies the faces of a frame in one batch. It allocates nothing after the first call; with TensorRT, after the second
   call of each batch size. If the model gives NaN or infinity for a face, no decision of the frame is valid, and the
   status is RESEMOTE_STATUS_ARTIFACT_MISMATCH.
   classifier: handle.
   frame: picture that is read.
   boxes: the faces; may be NULL if there are none.
   box_count: number of boxes, 0 to max_faces.
   decisions: room for box_count.
   probabilities: room for box_count rows of label_count floats, or NULL. */
RESEMOTE_API resemote_status resemote_classifier_classify(resemote_classifier* classifier, const resemote_frame* frame,
                                                          const resemote_box* boxes, size_t box_count,
                                                          resemote_decision* decisions, float* probabilities);

/* Computes the network's input for these boxes as classify does; for tests and debugging.
   classifier: handle.
   frame, boxes, box_count: as for resemote_classifier_classify.
   feed: memory for the input.
   feed_size_bytes: its size, exactly what the input spec needs for a batch of box_count. */
RESEMOTE_API resemote_status resemote_classifier_preprocess(resemote_classifier* classifier,
                                                            const resemote_frame* frame, const resemote_box* boxes,
                                                            size_t box_count, void* feed, size_t feed_size_bytes);

/* Classifies the faces of a frame for a camera that must not wait. It computes the network's input and returns; a
   thread of the classifier does the rest. If queue_depth submissions are already waiting, the oldest is dropped. One
   thread may submit while another polls.
   classifier: handle.
   frame: picture that is read; it may change as soon as this returns. Its timestamp_ns comes back with the result.
   boxes, box_count: as for resemote_classifier_classify.
   tag: number that comes back with the result. */
RESEMOTE_API resemote_status resemote_classifier_submit(resemote_classifier* classifier, const resemote_frame* frame,
                                                        const resemote_box* boxes, size_t box_count, uint64_t tag);

typedef struct resemote_result {
  size_t struct_size;    /* in */
  uint64_t tag;          /* of the submission */
  size_t box_count;
  uint64_t dropped;      /* submissions and results dropped since the last poll that returned a result */
  resemote_status status; /* of the inference; decisions are valid only if it is RESEMOTE_STATUS_OK */
  uint64_t timestamp_ns; /* of the submission's frame */
  uint64_t pending;      /* submissions and results that are still on the way after this one */
} resemote_result;

#define RESEMOTE_RESULT_INIT {sizeof(resemote_result), 0, 0, 0, RESEMOTE_STATUS_OK, 0, 0}

/* Fetches the oldest result. If there is none, it waits, also if nothing was submitted yet: a thread that only polls
   sleeps until there is something to do.
   classifier: handle.
   timeout_ms: longest wait, after which RESEMOTE_STATUS_NOT_READY is returned. 0: none. Negative: until there is a
   result, or the classifier is destroyed.
   result: is filled in if there is one.
   decisions: room for max_faces.
   probabilities: room for max_faces rows of label_count floats, or NULL. */
RESEMOTE_API resemote_status resemote_classifier_poll(resemote_classifier* classifier, int32_t timeout_ms,
                                                      resemote_result* result, resemote_decision* decisions,
                                                      float* probabilities);

#ifdef __cplusplus
}
#endif

#endif /* RESEMOTE_CLASSIFIER_H */
