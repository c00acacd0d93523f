// CropsFile: one split of a dataset, packed by `resemote-edge data pack`. docs/crops-file.md describes the format.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "file.h"

namespace resemote_tools {

class CropsFile {
 public:
  // Reads everything but the pixels, and checks the hash of the whole file. Throws ToolError that names the path.
  explicit CropsFile(const std::string& path);

  const std::string& dataset() const noexcept { return dataset_; }  // name of the dataset and split
  const std::string& dataset_sha256() const noexcept { return dataset_sha256_; }
  const std::vector<std::string>& labels() const noexcept { return labels_; }
  std::size_t size() const noexcept { return targets_.size(); }
  int width() const noexcept { return width_; }
  int height() const noexcept { return height_; }
  // Index of an image's class in labels().
  std::size_t target(std::size_t image) const { return targets_.at(image); }
  // Whether it is known which images are also in the training split, and whether this one is.
  bool marks_copies() const noexcept { return marks_copies_; }
  bool is_copy(std::size_t image) const { return (marks_.at(image) & 1) != 0; }
  // Reads the pixels of some images: gray, one image below the other.
  void read(std::size_t first, std::size_t count, std::uint8_t* to) const;

 private:
  void read_head();
  std::string read_name(std::uint64_t& place) const;
  [[noreturn]] void refuse(const std::string& found) const;

  File file_;
  std::string dataset_;
  std::string dataset_sha256_;
  std::vector<std::string> labels_;
  std::vector<std::uint8_t> targets_;
  std::vector<std::uint8_t> marks_;
  int width_ = 0;
  int height_ = 0;
  bool marks_copies_ = false;
  std::uint64_t pixels_at_ = 0;
};

}  // namespace resemote_tools
