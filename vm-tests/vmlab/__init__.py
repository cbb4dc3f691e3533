# SPDX-License-Identifier: GPL-2.0-only
"""The laboratory of vm-tests: guests under QEMU, LANs between them, and what scenarios are written with."""
