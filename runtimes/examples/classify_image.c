/*
 * Classifies the expression of a face in a picture, in plain C.
 *
 *   classify_image ARTIFACT PICTURE [X Y WIDTH HEIGHT]
 *
 * PICTURE is a binary PGM or PPM (P5, P6, 8 bits). Without a box, the whole picture is the face. Prints one line per
 * class, the most probable first.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resemote/runtime.h"

/* Reads the next number of a header; -1 if there is none. Comments run from # to the end of the line. */
static long next_number(FILE* stream) {
  int c = fgetc(stream);
  while (c != EOF && (isspace(c) || c == '#')) {
    if (c == '#') {
      while (c != EOF && c != '\n') c = fgetc(stream);
    } else {
      c = fgetc(stream);
    }
  }
  long value = -1;
  for (; c != EOF && isdigit(c) && value < 1000000; c = fgetc(stream)) value = (value < 0 ? 0 : value * 10) + (c - '0');
  return value;
}

/* Returns memory that the caller frees; NULL if the file is not such a picture. */
static uint8_t* read_picture(const char* path, resemote_frame* frame) {
  FILE* stream = fopen(path, "rb");
  if (stream == NULL) return NULL;
  uint8_t* pixels = NULL;
  const int p = fgetc(stream), kind = fgetc(stream);
  const long width = next_number(stream), height = next_number(stream), most = next_number(stream);
  if (p == 'P' && (kind == '5' || kind == '6') && width > 0 && height > 0 && most == 255) {
    const size_t bytes = (size_t)width * (size_t)height * (kind == '6' ? 3 : 1);
    pixels = malloc(bytes);
    if (pixels != NULL && fread(pixels, 1, bytes, stream) != bytes) {
      free(pixels);
      pixels = NULL;
    }
    frame->format = kind == '6' ? RESEMOTE_PIXEL_RGB24 : RESEMOTE_PIXEL_GRAY8;
    frame->width = (int32_t)width;
    frame->height = (int32_t)height;
    frame->data = pixels;
  }
  fclose(stream);
  return pixels;
}

static int fail(const char* what) {
  fprintf(stderr, "classify_image: %s\n", what);
  return 1;
}

/* Orders labels by descending probability. */
static int print_classes(resemote_classifier* classifier, const float* probabilities, int32_t count) {
  resemote_session* session = NULL;
  if (resemote_classifier_get_session(classifier, &session) != RESEMOTE_STATUS_OK) return fail(resemote_last_error());
  for (int32_t place = 0; place < count; ++place) {
    for (int32_t i = 0; i < count; ++i) {
      int32_t better = 0;
      for (int32_t j = 0; j < count; ++j) {
        better += probabilities[j] > probabilities[i] || (probabilities[j] == probabilities[i] && j < i);
      }
      const char* label = NULL;
      if (better != place) continue;
      if (resemote_session_get_label(session, i, &label) != RESEMOTE_STATUS_OK) return fail(resemote_last_error());
      printf("%s %.4f\n", label, probabilities[i]);
    }
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 7) return fail("usage: classify_image ARTIFACT PICTURE [X Y WIDTH HEIGHT]");
  resemote_frame frame;
  resemote_frame_init(&frame);
  uint8_t* pixels = read_picture(argv[2], &frame);
  if (pixels == NULL) return fail("the picture cannot be read as a binary PGM or PPM of 8 bits");

  resemote_box box = {0, 0, frame.width, frame.height};
  if (argc == 7) {
    box.x = atoi(argv[3]);
    box.y = atoi(argv[4]);
    box.width = atoi(argv[5]);
    box.height = atoi(argv[6]);
  }
  int outcome = 1;
  resemote_classifier* classifier = NULL;
  resemote_session* session = NULL;
  resemote_session_info info;
  memset(&info, 0, sizeof info);
  info.struct_size = sizeof info;
  float* probabilities = NULL;
  resemote_decision decision;
  if (resemote_classifier_create(argv[1], NULL, NULL, &classifier) != RESEMOTE_STATUS_OK ||
      resemote_classifier_get_session(classifier, &session) != RESEMOTE_STATUS_OK ||
      resemote_session_get_info(session, &info) != RESEMOTE_STATUS_OK) {
    outcome = fail(resemote_last_error());
  } else if ((probabilities = malloc((size_t)info.label_count * sizeof *probabilities)) == NULL) {
    outcome = fail("out of memory");
  } else if (resemote_classifier_classify(classifier, &frame, &box, 1, &decision, probabilities) !=
             RESEMOTE_STATUS_OK) {
    outcome = fail(resemote_last_error());
  } else {
    outcome = print_classes(classifier, probabilities, info.label_count);
  }
  free(probabilities);
  free(pixels);
  resemote_classifier_destroy(classifier);
  return outcome;
}
