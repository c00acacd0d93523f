#include "resemote/runtime.hpp"

// Something to compile, with the templates instantiated.
std::size_t header_label_count(const char* artifact);
std::size_t header_label_count(const char* artifact) { return resemote::Classifier(artifact).labels().size(); }
