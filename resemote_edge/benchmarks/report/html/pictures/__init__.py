"""Pictures of the page: what each shows, and how matplotlib's drawings get the page's colours."""
