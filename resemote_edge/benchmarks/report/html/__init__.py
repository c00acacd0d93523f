"""The report as one page of HTML: no network, pictures inline, legible on a phone and on paper."""
