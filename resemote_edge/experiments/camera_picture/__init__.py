"""Camera picture: the README's first picture, of drawn people, as `watch` saw them."""
