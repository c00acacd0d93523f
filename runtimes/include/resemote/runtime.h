/*
 * libresemote: runs the artifacts of resemote-edge without Python.
 *
 * Threads. Every function may be called from any thread at any time. Threads that share a handle take turns, so each
 * gets its own answer. Several sessions run side by side, also of one artifact. A handle may be destroyed while another
 * thread uses it: that call finishes, and the next one returns RESEMOTE_STATUS_CLOSED.
 *
 * Processes. A forked process must open its own handles. Handles of the parent return RESEMOTE_STATUS_CLOSED there,
 * because the engines' threads do not survive a fork.
 *
 * Ownership. The library reads what the caller passes in during the call and never keeps it. Outputs are written to the
 * caller's buffers. A returned string belongs to the handle it came from and lives as long as the handle.
 *
 * Structs with a struct_size grow at their end. A smaller size comes from an older header and is accepted: fields that
 * the caller lacks have their defaults, or are not written. A larger size comes from a newer header than the library's
 * and is refused. To fill in a struct, use its macro RESEMOTE_..._INIT, which matches the header you compile with. The
 * _init functions are for programs that cannot use a macro. They fill in the fields of the first header.
 *
 * Errors. Every function returns a status. After a failure, resemote_last_error() tells the calling thread what failed,
 * what was found and what to do. No function prints, exits, aborts or lets a C++ exception out.
 *
 *     resemote_classifier* classifier = NULL;
 *     if (resemote_classifier_create("artifact", NULL, NULL, &classifier) != RESEMOTE_STATUS_OK) {
 *       fprintf(stderr, "%s\n", resemote_last_error());
 *       return 1;
 *     }
 *     resemote_classifier_classify(classifier, &frame, boxes, box_count, decisions, NULL);
 *     resemote_classifier_destroy(classifier);
 */
#ifndef RESEMOTE_RUNTIME_H
#define RESEMOTE_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

/* Rises whenever a program built with an older header would misbehave. A library serves one number only. */
#define RESEMOTE_ABI_VERSION 1

#if defined(_WIN32)
#if defined(RESEMOTE_BUILDING)
#define RESEMOTE_API __declspec(dllexport)
#else
#define RESEMOTE_API __declspec(dllimport)
#endif
#else
#define RESEMOTE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ------------------------------------------------------------------------------------------------------ */

/* Families: 0 success, 0x1x the caller, 0x2x the artifact, 0x3x the engine, 0xFF a bug in this library. */
typedef int32_t resemote_status;
enum {
  RESEMOTE_STATUS_OK = 0x00,
  RESEMOTE_STATUS_INVALID_ARGUMENT = 0x10,     /* a null, a wrong size, shape, format or option */
  RESEMOTE_STATUS_CLOSED = 0x11,               /* the handle was destroyed, or never existed */
  RESEMOTE_STATUS_NOT_READY = 0x12,            /* poll: no result yet; not a failure */
  RESEMOTE_STATUS_ARTIFACT_INVALID = 0x20,     /* missing, incomplete or not readable */
  RESEMOTE_STATUS_PASSPORT_VERSION = 0x21,     /* written under another passport schema */
  RESEMOTE_STATUS_ARTIFACT_MISMATCH = 0x22,    /* contents differ from the passport, or are for another machine */
  RESEMOTE_STATUS_SELF_TEST_FAILED = 0x23,     /* the outputs for the golden crops differ from those at export */
  RESEMOTE_STATUS_OUT_OF_MEMORY = 0x24,
  RESEMOTE_STATUS_BACKEND_UNAVAILABLE = 0x30,  /* the engine was not built in, or its library was not found */
  RESEMOTE_STATUS_DEVICE_UNAVAILABLE = 0x31,   /* the requested device is missing; no other one is used */
  RESEMOTE_STATUS_BACKEND_FAILED = 0x32,       /* the engine reported an error */
  RESEMOTE_STATUS_INTERNAL = 0xFF
};

/* RESEMOTE_ABI_VERSION of the library. */
RESEMOTE_API uint32_t resemote_abi_version(void);
/* Version of the library, such as "0.5.0". The string is static. */
RESEMOTE_API const char* resemote_version(void);
/* Message of the calling thread's last failure; "" before the first. Valid until this thread's next failure. */
RESEMOTE_API const char* resemote_last_error(void);
/* Name of a status, such as "closed"; "unknown status" for other numbers. The string is static. */
RESEMOTE_API const char* resemote_status_name(resemote_status status);

/* ---- Backends ---------------------------------------------------------------------------------------------------- */

/* Number of backends. Each is listed even if it was not built in; its probe says why it does not work. */
RESEMOTE_API size_t resemote_backend_count(void);
/* Name by index: "openvino", "onnxruntime" or "tensorrt"; NULL past the end. The string is static. */
RESEMOTE_API const char* resemote_backend_name(size_t index);

typedef struct resemote_backend_info {
  size_t struct_size;  /* in: sizeof(resemote_backend_info) */
  int32_t available;   /* 1: its library was found and reports a device */
  char version[64];    /* of the engine; "" if it was not found */
  char devices[256];   /* names as in resemote_session_options, separated by spaces, best first */
  char reason[1024];   /* why it is not available, and what to do; "" if it is */
} resemote_backend_info;

/* Looks for the engine's library and lists its devices. `library`: as in resemote_session_options; may be NULL. */
RESEMOTE_API resemote_status resemote_backend_probe(const char* name, const char* library, resemote_backend_info* info);

/* ---- Sessions: tensors in, tensors out --------------------------------------------------------------------------- */

typedef struct resemote_session resemote_session;

typedef struct resemote_session_options {
  size_t struct_size;    /* set by RESEMOTE_SESSION_OPTIONS_INIT */
  const char* backend;   /* NULL or "auto": the first that can run the artifact on this machine */
  const char* device;    /* "cpu", "gpu", "npu", "cuda:0"; NULL or "auto": the first of the backend */
  const char* library;   /* the engine's shared library, or the folder that holds it; several places, separated by ':',
                            are tried in turn. NULL, or an empty place among several: the variable
                            RESEMOTE_<BACKEND>_LIBRARY, then where the loader looks */
  const char* cache_dir; /* folder where engines keep compiled models; NULL: none is kept */
  int32_t threads;       /* CPU threads for one call, at most four per core; 0: the engine decides */
} resemote_session_options;

#define RESEMOTE_SESSION_OPTIONS_INIT {sizeof(resemote_session_options), NULL, NULL, NULL, NULL, 0}

/* Fills in the defaults of RESEMOTE_SESSION_OPTIONS_INIT. */
RESEMOTE_API resemote_status resemote_session_options_init(resemote_session_options* options);

typedef struct resemote_backend_choice {
  size_t struct_size; /* in: sizeof(resemote_backend_choice) */
  char backend[64];
  char device[64];    /* the effective device, never "auto" */
  char file[256];     /* the artifact's file that would run */
  char skipped[1024]; /* why each backend that was asked before this one cannot run the artifact here; "" if none was */
} resemote_backend_choice;

/* Says in which backend and on which device resemote_session_create would open an artifact. It relies on the passport
   and on the probes of the backends; it reads no other file and loads nothing. If no backend can run the artifact, it
   returns the status that resemote_session_create would return, and resemote_last_error() says why none can. `options`
   may be NULL. */
RESEMOTE_API resemote_status resemote_backend_choose(const char* artifact, const resemote_session_options* options,
                                                     resemote_backend_choice* choice);

/* Opens an artifact, a classifier or a detector: a folder with a passport.json. Every file is checked against the passport (size, sha256).
   `options` may be NULL. On failure, *session is NULL. */
RESEMOTE_API resemote_status resemote_session_create(const char* artifact, const resemote_session_options* options,
                                                     resemote_session** session);
/* Releases a session. NULL is accepted. Destroying it twice returns RESEMOTE_STATUS_CLOSED. */
RESEMOTE_API resemote_status resemote_session_destroy(resemote_session* session);

typedef struct resemote_session_info {
  size_t struct_size;        /* in */
  const char* artifact_name; /* from the passport */
  const char* precision;     /* "fp32", "fp16", "int8", "w8" */
  const char* backend;
  const char* device;        /* the one in use, never "auto" */
  const char* file;          /* the file of the artifact that is run */
  int32_t label_count;       /* classes; 0 for a detector */
  int32_t gives_probabilities; /* 1: outputs are probabilities; 0: logits */
  int64_t batch_min;
  int64_t batch_max;         /* 0: only memory limits it */
  int32_t input_count;
  int32_t output_count;
} resemote_session_info;

RESEMOTE_API resemote_status resemote_session_get_info(resemote_session* session, resemote_session_info* info);
/* Name of the class with this index among the logits. */
RESEMOTE_API resemote_status resemote_session_get_label(resemote_session* session, int32_t index, const char** label);

/* What is known of a detector of faces. Its one input is a picture of this size in BGR, levels 0 to 255: float32 in
   planes or uint8 in pixels, as the input's spec says. */
typedef struct resemote_detector_info {
  size_t struct_size;   /* in */
  const char* family;   /* "yunet" or "centerface"; says how the outputs are read */
  int32_t width;        /* of the input, pixels */
  int32_t height;
  double framing_scale; /* side of the square that a classifier is shown, in geometric means of a box's sides */
  double framing_shift; /* how far the square's centre lies below the box's, in heights of the box */
  double min_score;     /* lowest score of a face that is reported */
  double max_overlap;   /* intersection over union above which the lower of two boxes is the same face */
} resemote_detector_info;

/* Fails with RESEMOTE_STATUS_INVALID_ARGUMENT if the artifact is a classifier. */
RESEMOTE_API resemote_status resemote_session_get_detector(resemote_session* session, resemote_detector_info* info);

typedef int32_t resemote_dtype;
enum { RESEMOTE_DTYPE_FLOAT32 = 0, RESEMOTE_DTYPE_UINT8 = 1 };

#define RESEMOTE_MAX_RANK 8

typedef struct resemote_tensor_spec {
  size_t struct_size; /* in */
  const char* name;
  resemote_dtype dtype;
  int32_t rank;
  int64_t dims[RESEMOTE_MAX_RANK]; /* -1: the batch */
} resemote_tensor_spec;

RESEMOTE_API resemote_status resemote_session_get_input(resemote_session* session, int32_t index,
                                                        resemote_tensor_spec* spec);
RESEMOTE_API resemote_status resemote_session_get_output(resemote_session* session, int32_t index,
                                                         resemote_tensor_spec* spec);

/* A dense row-major tensor in the caller's memory. */
typedef struct resemote_tensor {
  const char* name;
  void* data;        /* not written if the tensor is an input */
  size_t size_bytes; /* of the memory; exactly what dims and dtype need */
  resemote_dtype dtype;
  int32_t rank;
  int64_t dims[RESEMOTE_MAX_RANK];
} resemote_tensor;

/* Computes the outputs of one batch, and returns when they are in the caller's memory. Pass one tensor per spec, in any
   order. Shapes and dtypes are checked, and nothing is converted. */
RESEMOTE_API resemote_status resemote_session_run(resemote_session* session, const resemote_tensor* inputs,
                                                  size_t input_count, const resemote_tensor* outputs,
                                                  size_t output_count);

typedef struct resemote_self_test_result {
  size_t struct_size;    /* in */
  int32_t crops;         /* crops, or pictures of a detector */
  double max_abs_diff;   /* from the outputs recorded at export */
  double limit;
  double top1_agreement; /* fraction with the same top class; 1 for a detector */
} resemote_self_test_result;

/* Runs the artifact's golden crops again, from colour crop to output, or a detector's golden pictures. If the difference exceeds the limit, it fills in
   the result and returns RESEMOTE_STATUS_SELF_TEST_FAILED. `result` may be NULL. */
RESEMOTE_API resemote_status resemote_session_self_test(resemote_session* session, resemote_self_test_result* result);

/* ---- Classifiers: a frame with boxes in, decisions out ------------------------------------------------------------ */

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
} resemote_frame;

#define RESEMOTE_FRAME_INIT {sizeof(resemote_frame), RESEMOTE_PIXEL_GRAY8, 0, 0, NULL, 0, NULL, 0, 0}

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

/* Cuts boxes out of a frame and resizes them to width x height pixels, 1 to 4096 each, as classifiers do.
   format: RESEMOTE_PIXEL_GRAY8, RGB24 or BGR24. pixels: the crops, one after the other and without gaps, of which
   `pixels_size_bytes` is the size. */
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
  int32_t max_faces;   /* most boxes in one call; their memory is allocated at creation; default 16 */
  int32_t queue_depth; /* most submissions, and most results, that may wait; default 2 */
  resemote_edges edges; /* what becomes of boxes that reach over the border; default RESEMOTE_EDGES_CUT */
} resemote_classifier_options;

#define RESEMOTE_CLASSIFIER_OPTIONS_INIT {sizeof(resemote_classifier_options), 16, 2, RESEMOTE_EDGES_CUT}

RESEMOTE_API resemote_status resemote_classifier_options_init(resemote_classifier_options* options);

/* Opens an artifact as resemote_session_create does. Either options may be NULL. */
RESEMOTE_API resemote_status resemote_classifier_create(const char* artifact, const resemote_session_options* session,
                                                        const resemote_classifier_options* options,
                                                        resemote_classifier** classifier);
/* Ends the classifier's thread after the inference in progress, and releases the classifier and its session. NULL is
   accepted. Destroying it twice returns RESEMOTE_STATUS_CLOSED. */
RESEMOTE_API resemote_status resemote_classifier_destroy(resemote_classifier* classifier);

/* Session of the classifier, for labels, information and the self-test. The classifier owns it; do not destroy it. */
RESEMOTE_API resemote_status resemote_classifier_get_session(resemote_classifier* classifier,
                                                             resemote_session** session);

/* Classifies the faces of a frame in one batch.
   decisions: room for box_count. probabilities: box_count rows of label_count floats, or NULL.
   Allocates nothing after the first call; with TensorRT, after the second call of each batch size. Zero boxes are
   accepted. */
RESEMOTE_API resemote_status resemote_classifier_classify(resemote_classifier* classifier, const resemote_frame* frame,
                                                          const resemote_box* boxes, size_t box_count,
                                                          resemote_decision* decisions, float* probabilities);

/* Computes the network's input for these boxes as classify does; for tests and debugging.
   feed: memory of `feed_size_bytes`, exactly what the input spec needs for a batch of box_count. */
RESEMOTE_API resemote_status resemote_classifier_preprocess(resemote_classifier* classifier,
                                                            const resemote_frame* frame, const resemote_box* boxes,
                                                            size_t box_count, void* feed, size_t feed_size_bytes);

/* Classifies the faces of a frame for a camera that must not wait. It computes the network's input and returns; a
   thread of the classifier does the rest. If queue_depth submissions are already waiting, the oldest is dropped. */
RESEMOTE_API resemote_status resemote_classifier_submit(resemote_classifier* classifier, const resemote_frame* frame,
                                                        const resemote_box* boxes, size_t box_count, uint64_t tag);

typedef struct resemote_result {
  size_t struct_size;    /* in */
  uint64_t tag;          /* of the submission */
  size_t box_count;
  uint64_t dropped;      /* submissions and results dropped since the last poll that returned a result */
  resemote_status status; /* of the inference; decisions are valid only if it is RESEMOTE_STATUS_OK */
} resemote_result;

/* Fetches the oldest waiting result. Returns RESEMOTE_STATUS_NOT_READY if there is none after `timeout_ms` (0: at once;
   negative: no limit). decisions: room for max_faces. probabilities: max_faces rows, or NULL. */
RESEMOTE_API resemote_status resemote_classifier_poll(resemote_classifier* classifier, int32_t timeout_ms,
                                                      resemote_result* result, resemote_decision* decisions,
                                                      float* probabilities);

#ifdef __cplusplus
}
#endif

#endif /* RESEMOTE_RUNTIME_H */
