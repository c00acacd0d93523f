/* Backends and sessions: tensors in, tensors out. See runtime.h for what holds for all functions. */
#ifndef RESEMOTE_SESSION_H
#define RESEMOTE_SESSION_H

#include "resemote/status.h"

#ifdef __cplusplus
extern "C" {
#endif

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
  size_t struct_size; /* the library's; a program with an older header knows fewer of the fields */
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

#ifdef __cplusplus
}
#endif

#endif /* RESEMOTE_SESSION_H */
