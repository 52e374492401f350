"""Which columns the model sees, and how they are coded: each becomes a column of one float32 matrix.

Every feature of the contract: amounts as they are, names as codes, NaN for what is missing or was never seen.
`features_of(CONTRACT, leave_out=["origin"], distance_km=logarithm(), day_of_week=names())` leaves one out and
codes two otherwise; what has to be computed of a column is computed in etl/transform.sql.
"""

from handrail.training import features_of

from ..contract import CONTRACT

FEATURES = features_of(CONTRACT)
