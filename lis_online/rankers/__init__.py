"""The rankers: networks, inputs, optimiser, and the group that learns step by step."""

import os

# A matrix product's last bits depend on where its matrices lie in memory, so on how many rankers are beside each
# other, unless MKL is told, before its first use, to let them not. Measured with AVX-512 on an AMD EPYC: 16 of 1,701
# shapes differed between groups of three and of seven, none with AUTO, at the same speed.
os.environ.setdefault("MKL_CBWR", "AUTO")
