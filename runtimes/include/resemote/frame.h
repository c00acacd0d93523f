/* Frames, and crops of them. See runtime.h for what holds for all functions. */
#ifndef RESEMOTE_FRAME_H
#define RESEMOTE_FRAME_H

#include "resemote/status.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif /* RESEMOTE_FRAME_H */
