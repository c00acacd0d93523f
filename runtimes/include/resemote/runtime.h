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
 * and is refused. To begin a struct, use its macro RESEMOTE_..._INIT, which matches the header you compile with. The
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
  RESEMOTE_STATUS_CANCELLED = 0x13,            /* a progress function asked for it */
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
/* Name of a status in words, such as "closed". The string is static.
   status: any number; "unknown status" if it is none of the above. */
RESEMOTE_API const char* resemote_status_name(resemote_status status);

/* ---- Backends ---------------------------------------------------------------------------------------------------- */

/* Number of backends. Each is listed even if it was not built in; its probe says why it does not work. */
RESEMOTE_API size_t resemote_backend_count(void);
/* Name of a backend: "openvino", "onnxruntime" or "tensorrt". The string is static.
   index: 0 to resemote_backend_count() - 1; NULL is returned past the end. */
RESEMOTE_API const char* resemote_backend_name(size_t index);

typedef struct resemote_backend_info {
  size_t struct_size;  /* in: sizeof(resemote_backend_info) */
  int32_t available;   /* 1: its library was found and reports a device */
  char version[64];    /* of the engine; "" if it was not found */
  char devices[256];   /* names as in resemote_session_options, separated by spaces, best first */
  char reason[1024];   /* why it is not available, and what to do; "" if it is */
} resemote_backend_info;

#define RESEMOTE_BACKEND_INFO_INIT {sizeof(resemote_backend_info), 0, "", "", ""}

/* Looks for the engine's library and lists its devices. That nothing was found is no failure; `available` says so.
   name: of a backend.
   library: as in resemote_session_options; may be NULL.
   info: is filled in. */
RESEMOTE_API resemote_status resemote_backend_probe(const char* name, const char* library, resemote_backend_info* info);

/* ---- Sessions: tensors in, tensors out --------------------------------------------------------------------------- */

typedef struct resemote_session resemote_session;

/* Weight of a message. */
typedef int32_t resemote_log_level;
enum {
  RESEMOTE_LOG_INFO = 0,   /* what takes long, and what became of it */
  RESEMOTE_LOG_WARNING = 1 /* the session works, but something is not as it was asked for, such as a cache */
};

/* Receives a message, by the thread that creates the session, while it does. It must not throw. */
typedef void (*resemote_log_function)(void* user_data, resemote_log_level level, const char* message);

typedef struct resemote_progress {
  size_t struct_size; /* of this struct in the library, which is the newer one of both */
  const char* stage;  /* "building" an engine, or "waiting" for another process that builds the same one */
  double seconds;     /* since the stage began */
  double fraction;    /* of the work that is done, 0 to 1; negative if the engine does not tell (TensorRT before 10) */
} resemote_progress;

/* Is called about four times a second while something takes long, by the thread that creates the session. Returns 0 to go
   on. Anything else cancels: the session is not created, with RESEMOTE_STATUS_CANCELLED. TensorRT before 10 cannot stop a
   build; it is then cancelled when the build ends, and the engine is kept. It must not throw. */
typedef int32_t (*resemote_progress_function)(void* user_data, const resemote_progress* progress);

typedef struct resemote_session_options {
  size_t struct_size;    /* set by RESEMOTE_SESSION_OPTIONS_INIT */
  const char* backend;   /* NULL or "auto": the first that can run the artifact on this machine */
  const char* device;    /* "cpu", "gpu", "npu", "cuda:0"; NULL or "auto": the first of the backend */
  const char* library;   /* the engine's shared library, or the folder that holds it; several places, separated by ':',
                            are tried in turn. NULL, or an empty place among several: the variable
                            RESEMOTE_<BACKEND>_LIBRARY, then where the loader looks */
  const char* cache_dir; /* folder where engines that were built here are kept. NULL: for TensorRT, which takes minutes,
                            $XDG_CACHE_HOME/resemote or $HOME/.cache/resemote; for OpenVINO, none. "": none. ONNX Runtime
                            keeps nothing and refuses a folder. A folder that cannot be used is a warning */
  int32_t threads;       /* CPU threads for one call, at most four per core; 0: the engine decides */
  resemote_log_function log;           /* NULL: nobody is told */
  resemote_progress_function progress; /* NULL: nobody is asked */
  void* user_data;                     /* first argument of both */
  int32_t workspace_mib; /* TensorRT: memory that a layer may use, in MiB, 1 to 65536; 0: 512 */
} resemote_session_options;

#define RESEMOTE_SESSION_OPTIONS_INIT \
  {sizeof(resemote_session_options), NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 0}

/* Fills in the defaults of RESEMOTE_SESSION_OPTIONS_INIT.
   options: memory of any contents. */
RESEMOTE_API resemote_status resemote_session_options_init(resemote_session_options* options);

typedef struct resemote_backend_choice {
  size_t struct_size; /* in: sizeof(resemote_backend_choice) */
  char backend[64];
  char device[64];    /* the effective device, never "auto" */
  char file[256];     /* the artifact's file that would run */
  char skipped[1024]; /* why each backend that was asked before this one cannot run the artifact here; "" if none was */
} resemote_backend_choice;

#define RESEMOTE_BACKEND_CHOICE_INIT {sizeof(resemote_backend_choice), "", "", "", ""}

/* Says in which backend and on which device resemote_session_create would open an artifact. It relies on the passport
   and on the probes of the backends; it reads no other file and loads nothing. If no backend can run the artifact, it
   returns the status that resemote_session_create would return, and resemote_last_error() says why none can.
   artifact: path of the folder, or of its passport.json.
   options: as for resemote_session_create; NULL: the defaults.
   choice: is filled in. */
RESEMOTE_API resemote_status resemote_backend_choose(const char* artifact, const resemote_session_options* options,
                                                     resemote_backend_choice* choice);

/* Opens an artifact, a classifier or a detector: a folder with a passport.json. Every file that it names must lie in the
   folder and be a regular file with the size and sha256 of the passport. Of links, only those to a file of the same
   folder are followed.
   artifact: path of the folder, or of its passport.json.
   options: NULL: the defaults.
   session: gets the handle; on failure, NULL. */
RESEMOTE_API resemote_status resemote_session_create(const char* artifact, const resemote_session_options* options,
                                                     resemote_session** session);
/* Releases a session. Destroying it twice returns RESEMOTE_STATUS_CLOSED.
   session: NULL is accepted. */
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
  const char* engine; /* where the engine came from: "loaded", "built in 214 s", "from the cache"; and why it was not kept */
} resemote_session_info;

#define RESEMOTE_SESSION_INFO_INIT \
  {sizeof(resemote_session_info), NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, NULL}

/* Says what a session runs.
   session: handle.
   info: is filled in. Its strings live as long as the session. */
RESEMOTE_API resemote_status resemote_session_get_info(resemote_session* session, resemote_session_info* info);
/* Name of a class.
   session: handle.
   index: place of the class among the logits, 0 to label_count - 1.
   label: gets the name, which lives as long as the session; on failure, NULL. */
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

#define RESEMOTE_DETECTOR_INFO_INIT {sizeof(resemote_detector_info), NULL, 0, 0, 0.0, 0.0, 0.0, 0.0}

/* Says what a detector is. Fails with RESEMOTE_STATUS_INVALID_ARGUMENT if the artifact is a classifier.
   session: handle.
   info: is filled in. Its strings live as long as the session. */
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

#define RESEMOTE_TENSOR_SPEC_INIT \
  {sizeof(resemote_tensor_spec), NULL, RESEMOTE_DTYPE_FLOAT32, 0, {0, 0, 0, 0, 0, 0, 0, 0}}

/* Describes an input of the network, as resemote_session_run takes it.
   session: handle.
   index: 0 to input_count - 1.
   spec: is filled in. Its name lives as long as the session. */
RESEMOTE_API resemote_status resemote_session_get_input(resemote_session* session, int32_t index,
                                                        resemote_tensor_spec* spec);
/* Describes an output of the network.
   session: handle.
   index: 0 to output_count - 1.
   spec: is filled in. Its name lives as long as the session. */
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
   order. Shapes and dtypes are checked, and nothing is converted. Values are not looked at: NaN or infinity in an input
   is passed to the engine, and what it computes from that is usually NaN. It reaches no other sample and no later call.
   session: handle.
   inputs: tensors that are read.
   input_count: number of inputs.
   outputs: tensors whose memory is written.
   output_count: number of outputs. */
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

#define RESEMOTE_SELF_TEST_RESULT_INIT {sizeof(resemote_self_test_result), 0, 0.0, 0.0, 0.0}

/* Runs the artifact's golden crops again, from colour crop to output, or a detector's golden pictures. If the difference
   exceeds the limit, it fills in the result and returns RESEMOTE_STATUS_SELF_TEST_FAILED.
   session: handle.
   result: is filled in; may be NULL. */
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

#endif /* RESEMOTE_RUNTIME_H */
