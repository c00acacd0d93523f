/* Version of the library, what calls return, and messages of failures. See runtime.h for what holds for all functions. */
#ifndef RESEMOTE_STATUS_H
#define RESEMOTE_STATUS_H

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
   status: any number; other numbers are an "unknown status". */
RESEMOTE_API const char* resemote_status_name(resemote_status status);

#ifdef __cplusplus
}
#endif

#endif /* RESEMOTE_STATUS_H */
