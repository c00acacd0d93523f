/* Classifiers: a frame with boxes in, decisions out. See runtime.h for what holds for all functions. */
#ifndef RESEMOTE_CLASSIFIER_H
#define RESEMOTE_CLASSIFIER_H

#include "resemote/frame.h"
#include "resemote/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct resemote_classifier resemote_classifier;

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
