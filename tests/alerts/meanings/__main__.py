from tests.alerts.meanings import table

print(table())
