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
 * _init functions are for programs that cannot use a macro. They fill in the fields of the first version
 * of the headers.
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

#include "resemote/classifier.h"
#include "resemote/frame.h"
#include "resemote/session.h"
#include "resemote/status.h"

#endif /* RESEMOTE_RUNTIME_H */
