"""The settings of payevents: by group, with their defaults and documentation; and its logging.

`config.loading.load` reads a file and the environment into one frozen `config.settings.Settings`,
or tells every mistake at once. Providers subclass `config.account.AccountSettings`.
"""
