"""Glossary: how to read a report, term by term."""

from resemote_edge.measuring.latency import runs_needed

__all__ = ["GLOSSARY"]

#: Term to its explanation, in the order of the page.
GLOSSARY: dict[str, str] = {
    "row": "One artifact in one runtime, scenario and batch, with its threads: measured in a process of its own, "
    "which ends with it.",
    "call": "One run of the session on input that is ready, from the moment it is handed over until outputs are on the "
    "host. Wall time; nothing is clipped, no call is left out.",
    "p50, p90, p99, p99.9": "The time that this share of the calls took at most: p50 is the median, p99 what one in "
    "a hundred exceeds.",
    "too few": "A percentile is given only where the sample could hold a value above it with a probability of "
    f"97.5 %: from {runs_needed(0.99):,} calls for p99 and {runs_needed(0.999):,} for p99.9. Lines of distributions "
    "end at the same point.",
    "95 % interval": "For latency a bootstrap over blocks of consecutive calls, since neighbours resemble each other; "
    "for accuracy Wilson's interval. It speaks of this run, on this machine, on this day.",
    "crop to decision": "From the pixels of a colour crop to labelled probabilities: resizing, the session, softmax. "
    "Reading an image file is not in it.",
    "samples/s": "Crops over mean time of the session alone.",
    "age": "From the arrival of a frame to its decision, waiting included. In scenarios whose frames arrive by "
    "themselves it says more than the time of a call.",
    "dropped": "camera: frames that a newer one pushed out of the queue before anybody had time for them.",
    "late": "multi-stream: frames decided after the next one had come.",
    "growth of age": "camera: median age of the last quarter of the run less that of the first. Above zero, the device "
    "falls behind.",
    "last quarter over first": "sustained: how much longer decisions took at the end than at the beginning; 1.000 is "
    "neither faster nor slower.",
    "load": "From files to a session that can run; importing the runtime and hashing the files are not in it.",
    "peak memory": "High-water mark of the row's process, the runtime's own code included.",
    "model MB": "The files that the runtime reads, in millions of bytes.",
    "accuracy": "Share of the images of the split whose top class is right, in the same runtime, on the file with the "
    "same sha256.",
    "Pareto front": "What no other point beats: nothing is at once as fast and as accurate, and better in one of the "
    "two. Points whose intervals overlap may change places in another run.",
    "not measured": "There is no figure, and none was guessed. The reason is beside it, or under “Not measured”.",
}
