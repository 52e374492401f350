"""Where data lies that is not in the workspace: a bucket, or a folder that several machines share.

The workspace stays a folder of each machine. What is shared is fetched into it and sent out of it by the few
modules that know of it: raw files, the registry of versions, and the log of predictions.
"""
