"""``rtser batch``: archives, in processes of this machine or on a Dask cluster; what is finished stays so."""
