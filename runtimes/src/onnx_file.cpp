#include "onnx_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "error.h"
#include "file.h"

namespace resemote_internal {
namespace {

// Messages of onnx.proto that lead to a TensorProto.
enum class Message { kModel, kTraining, kGraph, kFunction, kNode, kAttribute, kSparse, kTensor };

// A field to follow.
struct Step {
  Message from;
  std::uint64_t field;
  Message to;
};

constexpr Step kSteps[] = {
    {Message::kModel, 7, Message::kGraph},       {Message::kModel, 20, Message::kTraining},
    {Message::kModel, 25, Message::kFunction},   {Message::kTraining, 1, Message::kGraph},
    {Message::kTraining, 2, Message::kGraph},    {Message::kGraph, 1, Message::kNode},
    {Message::kGraph, 5, Message::kTensor},      {Message::kGraph, 15, Message::kSparse},
    {Message::kFunction, 7, Message::kNode},     {Message::kFunction, 11, Message::kAttribute},
    {Message::kNode, 5, Message::kAttribute},    {Message::kAttribute, 5, Message::kTensor},
    {Message::kAttribute, 6, Message::kGraph},   {Message::kAttribute, 10, Message::kTensor},
    {Message::kAttribute, 11, Message::kGraph},  {Message::kAttribute, 22, Message::kSparse},
    {Message::kAttribute, 23, Message::kSparse}, {Message::kSparse, 1, Message::kTensor},
    {Message::kSparse, 2, Message::kTensor},
};

// Fields of a TensorProto.
constexpr std::uint64_t kExternalData = 13, kDataLocation = 14;
constexpr std::uint64_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;
constexpr int kDeepest = 64;

struct Damaged {};

// A file in memory without a copy of it: a board may have little, and most of the file is skipped.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) : size_(static_cast<std::size_t>(std::max<std::int64_t>(file_size(path), 0))) {
    if (size_ == 0) throw Damaged{};
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    void* const found = file < 0 ? MAP_FAILED : ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    const int error = errno;
    if (file >= 0) ::close(file);
    if (found == MAP_FAILED) {
      throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, path + ": cannot be read: " + std::strerror(error));
    }
    bytes_ = static_cast<const unsigned char*>(found);
  }
  ~MappedFile() { ::munmap(const_cast<unsigned char*>(bytes_), size_); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const unsigned char* bytes() const { return bytes_; }
  std::size_t size() const { return size_; }

 private:
  const unsigned char* bytes_ = nullptr;
  const std::size_t size_;
};

class Walk {
 public:
  explicit Walk(const MappedFile& content) : bytes_(content.bytes()), size_(content.size()) {}

  // Whether a tensor's data lies outside.
  bool finds_external_data() {
    std::vector<Part> waiting = {{Message::kModel, 0, size_, 0}};
    while (!waiting.empty()) {
      const Part part = waiting.back();
      waiting.pop_back();
      if (part.depth > kDeepest) throw Damaged{};
      for (std::size_t place = part.begin; place < part.end;) {
        if (look_at(part, place, waiting)) return true;
      }
    }
    return false;
  }

 private:
  struct Part {
    Message message;
    std::size_t begin, end;
    int depth;
  };

  bool look_at(const Part& part, std::size_t& place, std::vector<Part>& waiting) const {
    const std::uint64_t key = varint(place, part.end);
    if (key >> 32 != 0) throw Damaged{};  // Readers keep 32 bits, and would see another field.
    const std::uint64_t field = key >> 3, wire = key & 7;
    std::uint64_t value = 1, length = 0;
    if (wire == kVarint) {
      value = varint(place, part.end);
    } else if (wire == kBytes) {
      length = varint(place, part.end);
    } else if (wire == kFixed64 || wire == kFixed32) {
      length = wire == kFixed64 ? 8 : 4;
    } else {
      throw Damaged{};
    }
    if (length > part.end - place) throw Damaged{};
    const std::size_t begin = place;
    place += static_cast<std::size_t>(length);
    // A data_location of 0 says: inside.
    if (part.message == Message::kTensor && (field == kExternalData || (field == kDataLocation && value != 0))) return true;
    for (const Step& step : kSteps) {
      if (wire == kBytes && step.from == part.message && step.field == field) {
        waiting.push_back({step.to, begin, place, part.depth + 1});
      }
    }
    return false;
  }

  std::uint64_t varint(std::size_t& place, std::size_t end) const {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (place >= end) throw Damaged{};
      const unsigned char byte = bytes_[place++];
      if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    throw Damaged{};
  }

  const unsigned char* const bytes_;
  const std::size_t size_;
};

}  // namespace

void refuse_external_data(const std::string& path) {
  try {
    const MappedFile content(path);
    if (!Walk(content).finds_external_data()) return;
  } catch (const Damaged&) {
    throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID, path + ": damaged, or not ONNX; export the artifact again");
  }
  throw Error(RESEMOTE_STATUS_ARTIFACT_INVALID,
              path + ": holds a tensor whose data lies outside the file, which the passport does not vouch for; export "
                     "the artifact again");
}

}  // namespace resemote_internal
